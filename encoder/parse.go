package encoder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ParseFeatures reads the JSON form, fills in the defaults and checks it. It is
// strict: an unknown or repeated key, a value of another type and anything after
// the object are errors. A *KeyError names the key, unless the text is no JSON.
func ParseFeatures(text []byte) (Features, error) {
	var f Features
	err := members(text, func(key string, value json.RawMessage) error {
		switch key {
		case "tick":
			return atKey("", key, decode(value, &f.Tick))
		case "modalities":
			f.Modalities = map[string]Definition{}
			return atKey("", "", members(value, f.parseModality))
		}
		return atKey("", key, errUnknownKey)
	})
	if err != nil {
		return Features{}, err
	}
	if err := f.Check(); err != nil {
		return Features{}, err
	}
	return f.WithDefaults(), nil
}

func (f *Features) parseModality(name string, value json.RawMessage) error {
	var d Definition
	err := members(value, func(key string, value json.RawMessage) error {
		field := d.field(key)
		if field == nil {
			return atKey(name, key, errUnknownKey)
		}
		return atKey(name, key, decode(value, field))
	})
	f.Modalities[name] = d
	return atKey(name, "", err)
}

var errUnknownKey = errors.New("unknown key")

// atKey says which key err belongs to, unless it says so itself.
func atKey(modality, key string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*KeyError](err); ok {
		return e
	}
	return &KeyError{Modality: modality, Key: key, Err: err}
}

// members calls visit with every member of the JSON object that text is, in
// order.
func members(text []byte, visit func(key string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(text))
	start, err := d.Token()
	if err != nil {
		return fmt.Errorf("no JSON: %w", unexpected(err))
	}
	if start != json.Delim('{') {
		return errors.New("want an object {…}")
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return fmt.Errorf("no JSON: %w", unexpected(err))
		}
		key, _ := token.(string) // the decoder lets nothing else stand before a colon
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("no JSON after key %q: %w", key, unexpected(err))
		}
		if seen[key] {
			return fmt.Errorf("key %q occurs twice", key)
		}
		seen[key] = true
		if err := visit(key, value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("no JSON: %w", unexpected(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is something after the object")
	}
	return nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// decode reads one JSON value into the field that target points to.
func decode(value json.RawMessage, target any) error {
	if string(value) == "null" {
		return errors.New("null is no value; leave the key out")
	}
	err := json.Unmarshal(value, target)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("want %s, got %s", wanted(target), e.Value)
	}
	return err
}

func wanted(target any) string {
	switch target.(type) {
	case *string:
		return "a string"
	case *[]string:
		return "a list of strings"
	case *int:
		return "a whole number"
	case *bool:
		return "true or false"
	}
	return `a duration such as "30s"`
}
