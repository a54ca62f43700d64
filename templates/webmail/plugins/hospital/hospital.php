<?php

require_once __DIR__ . '/hospital_book.php';

/**
 * The hospital's own: its address book, the name of who writes, and who it is that asks the mail server.
 */
class hospital extends rcube_plugin
{
    const BOOK = 'hospital';

    private $book;

    public function init()
    {
        $this->add_hook('startup', [$this, 'end_without_rights']);
        $this->add_hook('addressbooks_list', [$this, 'list_books']);
        $this->add_hook('addressbook_get', [$this, 'get_book']);
        $this->add_hook('storage_connect', [$this, 'say_who_asks']);
        $this->add_hook('user_create', [$this, 'name_the_user']);
        $this->add_hook('login_after', [$this, 'note_the_rights']);
        $this->add_hook('login_after', [$this, 'renew_the_name']);
        $this->add_hook('template_object_loginform', [$this, 'say_whose']);
        $this->add_texts('localization/');
        $this->complete_indonesian();
    }

    /**
     * Whose account was suspended or removed, or whose password was changed, is logged out: the mail server lets nobody
     * in by the old one, but address books and settings are ours.
     */
    public function end_without_rights($given)
    {
        if (!empty($_SESSION['user_id']) && !in_array($given['task'], ['login', 'logout'], true)) {
            $person = $this->person((string) ($_SESSION['username'] ?? ''));
            $now = $person['rights'] ?? null;
            $changed = $now !== null && $now !== ($_SESSION['hospital_rights'] ?? null);
            if ($this->book->readable && (!$person || $changed)) {
                rcmail::get_instance()->kill_session();
            }
        }

        return $given;
    }

    public function note_the_rights($given)
    {
        $_SESSION['hospital_rights'] = $this->person(rcmail::get_instance()->user->get_username())['rights'] ?? null;

        return $given;
    }

    public function list_books($given)
    {
        $own = [
            'id' => self::BOOK,
            'name' => $this->gettext('hospital'),
            'readonly' => true,
            'groups' => true,
            'autocomplete' => true,
        ];
        // The one that everybody shares is first.
        $given['sources'] = [self::BOOK => $own] + $given['sources'];

        return $given;
    }

    public function get_book($given)
    {
        if ($given['id'] === self::BOOK) {
            $given['instance'] = new hospital_book($this->gettext('hospital'), $this->path());
        }

        return $given;
    }

    /**
     * RFC 2971 with Dovecot's x-originating-ip: without it all failures would be counted for 127.0.0.1, where we are.
     */
    public function say_who_asks($given)
    {
        $given['preauth_ident'] = [
            'name' => 'Roundcube',
            'x-originating-ip' => rcube_utils::remote_addr(),
            'x-originating-port' => (string) ($_SERVER['REMOTE_PORT'] ?? '0'),
        ];

        return $given;
    }

    public function name_the_user($given)
    {
        if ($person = $this->person($given['user'])) {
            $given['user_name'] = $person['full_name'];
            $given['user_email'] = $person['address'];
        }

        return $given;
    }

    /**
     * Who marries or is promoted has another name at the next login: nobody can change it here.
     */
    public function renew_the_name($given)
    {
        $user = rcmail::get_instance()->user;
        $person = $this->person($user->get_username());
        $identity = $person ? $user->get_identity() : null;
        if ($identity && $identity['name'] !== $person['full_name'] && $identity['email'] === $person['address']) {
            $user->update_identity($identity['identity_id'], ['name' => $person['full_name']]);
        }

        return $given;
    }

    /**
     * The skin shows a logo only, which says nothing of whose mail this is.
     */
    public function say_whose($given)
    {
        $title = rcube::Q((string) rcmail::get_instance()->config->get('product_name'));
        $given['content'] = html::tag('h1', ['class' => 'text-center h3 mb-3'], $title) . $given['content'];

        return $given;
    }

    private function complete_indonesian()
    {
        $app = rcmail::get_instance();
        if ($app->get_user_language() === 'id_ID') {
            include __DIR__ . '/labels_id.inc';
            $app->load_language(null, [], $labels);
        }
    }

    private function person($username)
    {
        $book = $this->book ??= new hospital_book('', $this->path());

        return $book->person($username);
    }

    private function path()
    {
        return (string) rcmail::get_instance()->config->get('hospital_addressbook');
    }
}
