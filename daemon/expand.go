package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// origins holds, for every string of a configuration that names an environment
// variable, what the file says, by the string's place such as
// "sink[1].url". It lets the configuration be shown without the variables'
// values, which may be secrets.
type origins map[string]string

// add takes in what one file says, whose [[sensor]] and [[sink]] blocks follow so
// many of earlier files. A string that the file says outright has no origin.
func (o origins) add(from origins, sensors, sinks int) {
	for path, text := range from {
		for name, n := range map[string]int{"sensor": sensors, "sink": sinks} {
			if rest, ok := strings.CutPrefix(path, name+"["); ok {
				i, rest, _ := strings.Cut(rest, "]")
				k, _ := strconv.Atoi(i) // the expander wrote it
				path = name + index(k+n) + rest
			}
		}
		if o[path] = text; text == "" {
			delete(o, path)
		}
	}
}

// variable matches ${NAME} and ${NAME:-default}, and $${, which stands for ${.
var variable = regexp.MustCompile(`\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\$\{`)

// expander puts the values of environment variables into TOML text.
type expander struct {
	parser  unstable.Parser
	lookup  func(name string) (value string, ok bool)
	out     bytes.Buffer
	copied  uint32         // bytes of the text that are in out
	counts  map[string]int // of the [[tables]] so far, by their name
	origins origins
}

// expand returns text with ${NAME} and ${NAME:-default} replaced in its strings,
// keys and comments apart, and the origin of every string, "" where there is
// nothing to replace. The default holds for a variable
// that is unset or empty. Lines keep their numbers. It leaves text alone that it
// cannot parse: whoever decodes it says what is wrong. Errors begin with
// line:column and name the key and the variable.
func expand(text []byte, lookup func(string) (string, bool)) ([]byte, origins, error) {
	e := expander{lookup: lookup, counts: map[string]int{}, origins: origins{}}
	e.parser.Reset(text)
	table := ""
	for e.parser.NextExpression() {
		node := e.parser.Expression()
		switch node.Kind {
		case unstable.Table:
			table = e.path("", node.Key())
		case unstable.ArrayTable:
			name := joined(node.Key())
			e.counts[name]++
			table = e.path("", node.Key())
		case unstable.KeyValue:
			if err := e.value(e.path(table, node.Key()), node.Value()); err != nil {
				return nil, nil, err
			}
		}
	}
	if e.parser.Error() != nil {
		return text, nil, nil
	}
	e.out.Write(text[e.copied:])
	return e.out.Bytes(), e.origins, nil
}

func joined(key unstable.Iterator) string {
	var parts []string
	for key.Next() {
		parts = append(parts, string(key.Node().Data))
	}
	return strings.Join(parts, ".")
}

// path names the place of a key below a table, with the numbers of the [[tables]]
// it is in.
func (e *expander) path(table string, key unstable.Iterator) string {
	path, name := table, ""
	for key.Next() {
		part := string(key.Node().Data)
		path, name = below(path, part), below(name, part)
		if n := e.counts[name]; table == "" && n > 0 {
			path += index(n - 1)
		}
	}
	return path
}

func below(table, key string) string {
	if table == "" {
		return key
	}
	return table + "." + key
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

// value expands the strings in one value.
func (e *expander) value(path string, node *unstable.Node) error {
	children := node.Children()
	switch node.Kind {
	case unstable.String:
		return e.text(path, node)
	case unstable.Array:
		for i := 0; children.Next(); i++ {
			if err := e.value(path+index(i), children.Node()); err != nil {
				return err
			}
		}
	case unstable.InlineTable:
		for children.Next() {
			pair := children.Node()
			if err := e.value(below(path, joined(pair.Key())), pair.Value()); err != nil {
				return err
			}
		}
	}
	return nil
}

// text expands one string.
func (e *expander) text(path string, node *unstable.Node) error {
	if !bytes.Contains(node.Data, []byte("${")) {
		e.origins[path] = ""
		return nil
	}
	raw := e.parser.Raw(node.Raw)
	at := e.parser.Shape(node.Raw).Start
	fail := func(err error) error { return fmt.Errorf("%d:%d: %s: %w", at.Line, at.Column, path, err) }
	if bytes.ContainsRune(raw, '\n') {
		return fail(errors.New("a string over several lines cannot name environment variables"))
	}
	var wrong error
	value := variable.ReplaceAllStringFunc(string(node.Data), func(found string) string {
		v, err := e.replace(found)
		if wrong == nil {
			wrong = err
		}
		return v
	})
	if wrong != nil {
		return fail(wrong)
	}
	e.out.Write(e.parser.Data()[e.copied:node.Raw.Offset])
	e.out.WriteString(quote(value))
	e.copied = node.Raw.Offset + node.Raw.Length
	e.origins[path] = string(node.Data)
	return nil
}

// replace returns what one match of variable stands for.
func (e *expander) replace(found string) (string, error) {
	if found == "$${" {
		return "${", nil
	}
	m := variable.FindStringSubmatch(found)
	name, hasDefault, otherwise := m[1], m[2] != "", m[3]
	if name == "" {
		return "", fmt.Errorf("%q begins no ${NAME} or ${NAME:-default}; write $${ for ${ itself", found)
	}
	value, set := e.lookup(name)
	switch {
	case hasDefault && value == "":
		return otherwise, nil
	case !set:
		return "", fmt.Errorf("environment variable %s is not set; set it, or write ${%s:-default}", name, name)
	}
	return value, nil
}

// quote writes s as a basic string of TOML.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
