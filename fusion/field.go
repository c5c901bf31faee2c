package fusion

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxInteger bounds every integer of a config.
const maxInteger = 1 << 20

const (
	optional = false
	required = true
)

// field is one key of an object and how its value is read.
type field struct {
	required bool
	read     reader
}

// reader reads a value. path leads to it from the top of the config, as in
// head.task or modalities.0.name.
type reader func(path string, raw json.RawMessage) error

// asObject reads the keys of an object. encoding/json alone would take a key in
// any case, and the last of two.
func asObject(fields map[string]field) reader {
	return func(path string, raw json.RawMessage) error {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
			return badValue(path, raw, "an object")
		}
		seen := map[string]bool{}
		for decoder.More() {
			token, err := decoder.Token()
			if err != nil {
				return fmt.Errorf("%w: config %s: %s", ErrBadMetadata, path, err)
			}
			key, _ := token.(string)
			at := join(path, key)
			f, known := fields[key]
			if !known {
				return fmt.Errorf("%w: config %.200s", ErrUnknownKey, at)
			}
			if seen[key] {
				return fmt.Errorf("%w: config %s is there twice", ErrBadValue, at)
			}
			seen[key] = true
			var value json.RawMessage
			if err := decoder.Decode(&value); err != nil {
				return fmt.Errorf("%w: config %s: %s", ErrBadMetadata, at, err)
			}
			if err := f.read(at, value); err != nil {
				return err
			}
		}
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			if fields[key].required && !seen[key] {
				return fmt.Errorf("%w: config %s", ErrMissingKey, join(path, key))
			}
		}
		return nil
	}
}

func asList[T any](list *[]T, element func(*T) reader) reader {
	return func(path string, raw json.RawMessage) error {
		var values []json.RawMessage
		if raw[0] != '[' || json.Unmarshal(raw, &values) != nil {
			return badValue(path, raw, "a list")
		}
		*list = make([]T, len(values))
		for i, value := range values {
			if err := element(&(*list)[i])(join(path, strconv.Itoa(i)), value); err != nil {
				return err
			}
		}
		return nil
	}
}

func asText(text *string) reader {
	return func(path string, raw json.RawMessage) error {
		if raw[0] != '"' || json.Unmarshal(raw, text) != nil {
			return badValue(path, raw, "a string")
		}
		return nil
	}
}

func asChoice(choice *string, choices ...string) reader {
	return func(path string, raw json.RawMessage) error {
		if err := asText(choice)(path, raw); err != nil || !slices.Contains(choices, *choice) {
			return badValue(path, raw, "one of "+strings.Join(choices, ", "))
		}
		return nil
	}
}

// asInteger reads an integer without fraction, exponent or leading zero.
func asInteger(n *int, least int) reader {
	return func(path string, raw json.RawMessage) error {
		v, err := strconv.Atoi(string(raw))
		if err != nil || strconv.Itoa(v) != string(raw) || v < least || v > maxInteger {
			return badValue(path, raw, fmt.Sprintf("an integer from %d to %d", least, maxInteger))
		}
		*n = v
		return nil
	}
}

func asBool(b *bool) reader {
	return func(path string, raw json.RawMessage) error {
		if *b = string(raw) == "true"; !*b && string(raw) != "false" {
			return badValue(path, raw, "true or false")
		}
		return nil
	}
}

func badValue(path string, raw json.RawMessage, want string) error {
	if path == "" {
		path = "as a whole"
	}
	return fmt.Errorf("%w: config %s is %.40s, want %s", ErrBadValue, path, raw, want)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
