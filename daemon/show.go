package daemon

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/ragedge/ragedge/encoder"
)

// WriteTOML writes c, which has passed Check, with all defaults filled in, in a
// form that LoadConfig reads back. Where a string came from the environment it
// writes the variable's name and never its value.
func (c Config) WriteTOML(w io.Writer) error {
	c.Features = c.Features.WithDefaults()
	c.Sensors, c.Sinks = slices.Clone(c.Sensors), slices.Clone(c.Sinks)
	for i := range c.Sensors {
		c.Sensors[i] = c.Sensors[i].WithDefaults()
	}
	for i := range c.Sinks {
		c.Sinks[i] = c.Sinks[i].WithDefaults()
	}
	p := printer{origins: c.origins}
	p.table("", "", reflect.ValueOf(c))
	_, err := io.WriteString(w, strings.TrimPrefix(p.String(), "\n"))
	return err
}

// printer writes a configuration as TOML.
type printer struct {
	strings.Builder
	origins origins
}

// table writes a struct: first its values, then its tables. The header stands
// before the first value; a table without any is left out.
func (p *printer) table(header, path string, v reflect.Value) {
	// These say with an empty value something else than their default.
	full := path == "agent" || path == "api"
	written := header == ""
	t := v.Type()
	for i := range t.NumField() {
		key, field := tomlName(t.Field(i)), v.Field(i)
		if key == "" || isTable(field.Type()) || !full && empty(field) {
			continue
		}
		if !written {
			p.WriteString("\n" + header + "\n")
			written = true
		}
		p.WriteString(key + " = ")
		p.value(below(path, key), field)
		p.WriteByte('\n')
	}
	for i := range t.NumField() {
		key, field := tomlName(t.Field(i)), v.Field(i)
		if key == "" || !isTable(field.Type()) {
			continue
		}
		name := below(strings.Trim(header, "[]"), key)
		switch path := below(path, key); field.Kind() {
		case reflect.Struct:
			p.table("["+name+"]", path, field)
		case reflect.Slice:
			for i := range field.Len() {
				p.table("[["+name+"]]", path+index(i), field.Index(i))
			}
		case reflect.Map:
			for _, k := range sortedKeys(field) {
				p.table("["+name+"."+bare(k)+"]", below(path, k), field.MapIndex(reflect.ValueOf(k)))
			}
		}
	}
}

// isTable says whether values of a type are written as tables of their own.
func isTable(t reflect.Type) bool {
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}

func empty(v reflect.Value) bool {
	return v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0
}

// value writes what stands behind a key.
func (p *printer) value(path string, v reflect.Value) {
	if text := p.origins[path]; text != "" {
		p.WriteString(quote(text))
		return
	}
	if d, ok := v.Interface().(encoder.Duration); ok {
		p.WriteString(quote(d.String()))
		return
	}
	switch v.Kind() {
	case reflect.String:
		// An origin would have kept its variables; what looks like one here is text.
		p.WriteString(quote(strings.ReplaceAll(v.String(), "${", "$${")))
	case reflect.Float64:
		text := strconv.FormatFloat(v.Float(), 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		p.WriteString(text)
	case reflect.Slice, reflect.Array:
		p.list("[", "]", v.Len(), func(i int) { p.value(path+index(i), v.Index(i)) })
	case reflect.Map:
		keys := sortedKeys(v)
		p.list("{ ", " }", len(keys), func(i int) {
			p.WriteString(bare(keys[i]) + " = ")
			p.value(below(path, keys[i]), v.MapIndex(reflect.ValueOf(keys[i])))
		})
	default:
		fmt.Fprint(p, v.Interface())
	}
}

func (p *printer) list(open, end string, n int, element func(i int)) {
	p.WriteString(open)
	for i := range n {
		if i > 0 {
			p.WriteString(", ")
		}
		element(i)
	}
	p.WriteString(end)
}

func sortedKeys(m reflect.Value) (keys []string) {
	for _, k := range m.MapKeys() {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	return keys
}

// bare writes a key, in quotes where TOML wants them.
func bare(key string) string {
	for _, r := range key {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return quote(key)
		}
	}
	if key == "" {
		return quote(key)
	}
	return key
}
