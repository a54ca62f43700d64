<?php

/**
 * The people and lists of the hospital, as the mail service writes them into one JSON file. Nobody changes them here.
 *
 * Departments are groups of people; a list is a group with an address of its own, to which its members' mail goes.
 */
class hospital_book extends rcube_addressbook
{
    public $primary_key = 'ID';
    public $readonly = true;
    public $groups = true;
    public $readable;
    public $coltypes = ['name', 'firstname', 'surname', 'email', 'department'];

    private $title;
    private $records = [];
    private $known = [];
    private $filter;
    private $result;

    public function __construct($title, $path)
    {
        $this->title = $title;
        $held = is_readable($path) ? json_decode(file_get_contents($path), true) : null;
        $this->readable = is_array($held);
        if (!$this->readable) {
            rcube::raise_error(['code' => 500, 'message' => "The hospital's address book cannot be read"], true, false);
            $held = [];
        }
        foreach ($held['people'] ?? [] as $person) {
            $this->add_person($person);
        }
        foreach ($held['lists'] ?? [] as $list) {
            $this->add_list($list);
        }
        uasort($this->known, static fn ($one, $other) => strcasecmp($one['name'], $other['name']));
        $this->ready = true;
    }

    /**
     * The person of an address, as the file has it, or null.
     */
    public function person($address)
    {
        return $this->records[$this->key($address)]['_person'] ?? null;
    }

    public function get_name()
    {
        return $this->title;
    }

    public function set_search_set($filter)
    {
        $this->filter = is_array($filter) ? $filter : null;
    }

    public function get_search_set()
    {
        return $this->filter;
    }

    public function reset()
    {
        $this->result = null;
        $this->filter = null;
    }

    public function set_group($group)
    {
        $this->group_id = $group;
    }

    public function get_group($group)
    {
        return $this->known[$group] ?? null;
    }

    public function list_groups($search = null, $mode = 0)
    {
        $found = [];
        foreach ($this->known as $group) {
            $texts = array_merge([$group['name']], $group['email'] ?? []);
            if (!is_string($search) || $search === '' || $this->one_fits('name', $texts, $search, $mode)) {
                $found[] = $group;
            }
        }

        return $found;
    }

    public function get_record_groups($id)
    {
        return array_map(
            static fn ($group) => $group['name'],
            array_filter($this->known, static fn ($group) => isset($group['_members'][$id]))
        );
    }

    public function list_records($cols = null, $subset = 0, $nocount = false)
    {
        $all = $this->sorted($this->chosen());
        $length = $subset != 0 ? abs($subset) : $this->page_size;
        $start = ($this->list_page - 1) * $this->page_size + ($subset < 0 ? $this->page_size + $subset : 0);
        $this->result = new rcube_result_set(count($all), ($this->list_page - 1) * $this->page_size);
        foreach (array_slice($all, $start, $length) as $record) {
            $this->result->add($record);
        }

        return $this->result;
    }

    public function search($fields, $value, $mode = 0, $select = true, $nocount = false, $required = [])
    {
        $this->filter = [
            'fields' => $fields,
            'value' => $value,
            'mode' => (int) $mode,
            'required' => array_filter((array) $required),
        ];
        if ($select) {
            return $this->list_records(null, 0, $nocount);
        }

        return $this->result = $this->count();
    }

    public function count()
    {
        return new rcube_result_set(count($this->chosen()), ($this->list_page - 1) * $this->page_size);
    }

    public function get_result()
    {
        return $this->result;
    }

    public function get_record($id, $assoc = false)
    {
        $record = isset($this->records[$id]) ? $this->shown($this->records[$id]) : null;
        if ($assoc) {
            return $record;
        }
        $this->result = new rcube_result_set($record ? 1 : 0);
        if ($record) {
            $this->result->add($record);
        }

        return $this->result;
    }

    private function add_person($person)
    {
        $id = $this->key($person['address']);
        $words = preg_split('/\s+/u', trim($person['full_name']), 2);
        $this->records[$id] = [
            'ID' => $id,
            'name' => $person['full_name'],
            'firstname' => $words[0],
            'surname' => $words[1] ?? '',
            'email' => $person['address'],
            'department' => (string) ($person['department'] ?? ''),
            '_person' => $person,
        ];
        if (($department = $this->records[$id]['department']) !== '') {
            $group = $this->key("department $department");
            $this->known[$group] ??= ['ID' => $group, 'name' => $department, '_members' => []];
            $this->known[$group]['_members'][$id] = true;
        }
    }

    private function add_list($list)
    {
        $group = $this->key('list ' . $list['address']);
        $members = array_map([$this, 'key'], $list['members'] ?? []);
        $this->known[$group] = [
            'ID' => $group,
            'name' => $list['title'] !== '' ? $list['title'] : $list['address'],
            'email' => [$list['address']],
            '_members' => array_fill_keys($members, true),
        ];
    }

    /**
     * Letters and digits only: it stands in addresses of pages.
     */
    private function key($text)
    {
        return substr(hash('sha256', mb_strtolower($text)), 0, 20);
    }

    private function shown($record)
    {
        unset($record['_person']);

        return $record;
    }

    private function chosen()
    {
        $chosen = $this->records;
        if ($this->group_id) {
            $chosen = array_intersect_key($chosen, $this->known[$this->group_id]['_members'] ?? []);
        }
        if ($this->filter) {
            $chosen = array_filter($chosen, [$this, 'fits']);
        }

        return $chosen;
    }

    private function sorted($records)
    {
        $columns = array_unique([$this->sort_col ?: 'name', 'name', 'email']);
        $turn = strtoupper((string) $this->sort_order) === 'DESC' ? -1 : 1;
        usort($records, static function ($one, $other) use ($columns, $turn) {
            foreach ($columns as $column) {
                $order = strcasecmp((string) ($one[$column] ?? ''), (string) ($other[$column] ?? ''));
                if ($order !== 0) {
                    return $order * $turn;
                }
            }

            return 0;
        });

        return array_map([$this, 'shown'], $records);
    }

    /**
     * The ways of searching of rcube_addressbook::search, in its order.
     */
    private function fits($record)
    {
        ['fields' => $fields, 'value' => $value, 'mode' => $mode, 'required' => $required] = $this->filter;
        foreach ($required as $column) {
            if (($record[$column] ?? '') === '') {
                return false;
            }
        }
        if ($fields === $this->primary_key) {
            return in_array($record['ID'], is_array($value) ? $value : explode(self::SEPARATOR, $value), true);
        }
        if (is_array($value)) {
            foreach ((array) $fields as $place => $column) {
                $wanted = (string) ($value[$place] ?? '');
                if ($wanted !== '' && !$this->one_fits($column, [$record[$column] ?? ''], $wanted, $mode)) {
                    return false;
                }
            }

            return true;
        }
        $columns = $fields === '*' ? $this->coltypes : (array) $fields;
        $texts = array_map(static fn ($column) => (string) ($record[$column] ?? ''), $columns);
        // Each word is somewhere.
        $words = $mode & self::SEARCH_STRICT ? [$value] : rcube_utils::tokenize_string($value, 1);
        foreach ($words as $word) {
            if (!$this->one_fits('name', $texts, $word, $mode)) {
                return false;
            }
        }

        return count($words) > 0;
    }

    private function one_fits($column, $texts, $wanted, $mode)
    {
        if ($mode & self::SEARCH_PREFIX) {
            // The beginning of any word: people look for a doctor by the second name too.
            $texts = array_merge($texts, ...array_map(static fn ($text) => preg_split('/[\s@.]+/u', $text), $texts));
        }

        return $this->compare_search_value($column, $texts, mb_strtolower($wanted), $mode);
    }
}
