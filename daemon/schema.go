package daemon

import (
	"encoding/json"
	"io"
	"reflect"

	"github.com/ragedge/ragedge/encoder"
)

// schema is a JSON schema, as far as the configuration needs it.
type schema struct {
	Dialect     string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        string             `json:"type"`
	Enum        []string           `json:"enum,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Minimum     *int               `json:"minimum,omitempty"`
	Maximum     *int               `json:"maximum,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	// Additional is false where no other keys are allowed, or the schema of all.
	Additional any `json:"additionalProperties,omitempty"`
}

// WriteSchema writes a JSON schema (2020-12) of the configuration, for editors.
// It knows types, names and words; config check knows the rest.
func WriteSchema(w io.Writer) error {
	s := schemaOf(reflect.TypeFor[Config](), "")
	s.Dialect, s.Title = "https://json-schema.org/draft/2020-12/schema", "ragedge configuration"
	s.Properties[TrainTable] = &schema{Description: "What ragedge train reads; see docs/training.md.", Type: "object"}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(s)
}

// durationPattern is what time.ParseDuration takes, or an environment variable.
const durationPattern = `^(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+$|^0$|\$\{`

// schemaOf describes what stands at a key, whose name is that of the table keys.
func schemaOf(t reflect.Type, name string) *schema {
	s := &schema{Description: about(name).about}
	for _, t := range sections {
		if t.name == name {
			s.Description = t.about
		}
	}
	switch t.Kind() {
	case reflect.Struct:
		s.Type, s.Additional, s.Properties = "object", false, map[string]*schema{}
		for i := range t.NumField() {
			if key := tomlName(t.Field(i)); key != "" {
				s.Properties[key] = schemaOf(t.Field(i).Type, below(name, key))
			}
		}
	case reflect.Map:
		s.Type, s.Additional = "object", schemaOf(t.Elem(), name+".NAME")
	case reflect.Slice, reflect.Array:
		s.Type, s.Items = "array", schemaOf(t.Elem(), name)
		s.Items.Description = ""
	case reflect.Bool:
		s.Type = "boolean"
	case reflect.Float64:
		s.Type = "number"
	case reflect.Uint8, reflect.Uint16:
		least, most := 0, 1<<t.Bits()-1
		s.Type, s.Minimum, s.Maximum = "integer", &least, &most
	case reflect.String:
		s.Type, s.Enum = "string", about(name).words
	default:
		s.Type = "integer"
	}
	if t == reflect.TypeFor[encoder.Duration]() {
		s.Type, s.Pattern = "string", durationPattern
	}
	return s
}
