# sensor_table.csv -> sensor_table.h
BEGIN { FS = ","; print "/* Made from sensor_table.csv. */\n#include \"flash.h\"\n" }
NR == 1 { next }
{ level[++points] = $1; first[points] = $2; second[points] = $3 }
function word(mv, value) { value = int(mv * 100 + 0.5); return (value % 256) ", " int(value / 256) ", " }
END {
    printf "static const uint8_t sensor_table_level[] FLASH = {"
    for (i = 1; i <= points; i++) printf "%d, ", level[i]
    print "};"
    printf "static const uint8_t sensor_table_voltage[] FLASH = {"
    for (i = 1; i <= points; i++) printf "%s", word(first[i])
    for (i = 1; i <= points; i++) printf "%s", word(second[i])
    print "};"
}
