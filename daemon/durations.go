package daemon

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/pelletier/go-toml/v2"
	"github.com/ragedge/ragedge/encoder"
)

// checkDurations checks the durations in text, which is TOML. The decoder takes
// a number for nanoseconds, which nobody means, and does not always say which key a
// bad one belongs to.
func checkDurations(text []byte) error {
	var all map[string]any
	if err := toml.Unmarshal(text, &all); err != nil {
		return err
	}
	return checkDuration("", all, reflect.TypeFor[Config]())
}

// checkDuration checks one value and what is in it. t is its type in the Config.
func checkDuration(path string, v any, t reflect.Type) error {
	if t == reflect.TypeFor[encoder.Duration]() {
		var d encoder.Duration
		text, ok := v.(string)
		if !ok {
			return fmt.Errorf("%s: %v is no duration such as \"30s\" or \"200ms\"", path, v)
		}
		if err := d.UnmarshalText([]byte(text)); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if at := typeBelow(t, name); at != nil {
				if err := checkDuration(below(path, name), v[name], at); err != nil {
					return err
				}
			}
		}
	case []any:
		if t.Kind() != reflect.Slice {
			return nil
		}
		for i, inner := range v {
			if err := checkDuration(path+index(i), inner, t.Elem()); err != nil {
				return err
			}
		}
	}
	return nil
}

// typeBelow is the type of what a table of type t has under a name, nil for
// nothing.
func typeBelow(t reflect.Type, name string) reflect.Type {
	switch t.Kind() {
	case reflect.Slice: // the decoder takes a table for a list of one
		return typeBelow(t.Elem(), name)
	case reflect.Map:
		return t.Elem()
	case reflect.Struct:
		for i := range t.NumField() {
			if tomlName(t.Field(i)) == name {
				return t.Field(i).Type
			}
		}
	}
	return nil
}
