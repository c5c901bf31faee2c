package daemon

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

func keyPath(key toml.Key) string { return strings.Join(key, ".") }

// suggest returns " (did you mean …?)" when a key of the same table is close to
// the last part of key, else how the table's keys are called.
func suggest(key toml.Key) string {
	if len(key) == 0 {
		return ""
	}
	known := knownKeys(reflect.TypeFor[Config](), key[:len(key)-1])
	last := key[len(key)-1]
	best, distance := "", 3
	for _, k := range known {
		if d := EditDistance(last, k); d < distance {
			best, distance = k, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf(" (did you mean %s?)", best)
	case len(known) > 0:
		return fmt.Sprintf(" (known here: %s)", strings.Join(known, ", "))
	}
	return ""
}

// knownKeys lists the TOML keys of the table that path names below t, sorted.
func knownKeys(t reflect.Type, path toml.Key) []string {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Map && len(path) > 0 {
		return knownKeys(t.Elem(), path[1:])
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for i := range t.NumField() {
		name := tomlName(t.Field(i))
		if len(path) > 0 && name == path[0] {
			return knownKeys(t.Field(i).Type, path[1:])
		}
		if name != "" {
			keys = append(keys, name)
		}
	}
	if len(path) > 0 {
		return nil
	}
	slices.Sort(keys)
	return keys
}

func tomlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
	return name
}

// EditDistance counts the single-letter insertions, removals and replacements
// between a and b (Levenshtein).
func EditDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
