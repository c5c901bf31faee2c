package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// document is the part of the OpenAPI document that tests look at.
type document struct {
	Paths      map[string]map[string]operation
	Components struct {
		Schemas   map[string]*schema
		Responses map[string]struct {
			Content map[string]struct{ Schema *schema }
		}
	}
}

type operation struct {
	Summary     string
	RequestBody struct {
		Content map[string]struct{ Schema *schema }
	}
	Responses map[string]struct {
		Ref     string `json:"$ref"`
		Content map[string]struct{ Schema *schema }
	}
}

// schema is what of JSON Schema the document uses.
type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Properties map[string]*schema
	Required   []string
	Additional json.RawMessage `json:"additionalProperties"`
	Items      *schema
	AnyOf      []*schema
	Enum       []any
}

func readDocument(t *testing.T) (d document) {
	require.NoError(t, json.Unmarshal(originals(t)["openapi.json"], &d))
	return d
}

// fits says what of v is not as s says. A key of an object that the schema does
// not name is wrong: the document is to be complete.
func (d *document) fits(s *schema, v any, at string) error {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return d.fits(d.Components.Schemas[name], v, at)
	}
	for _, one := range s.AnyOf {
		if d.fits(one, v, at) == nil {
			return nil
		}
	}
	if len(s.AnyOf) > 0 {
		return fmt.Errorf("%s fits none", at)
	}
	kinds, _ := s.Type.([]any)
	if s.Type != nil && kinds == nil {
		kinds = []any{s.Type}
	}
	if kinds != nil && !slices.ContainsFunc(kinds, func(k any) bool { return isA(k.(string), v) }) {
		return fmt.Errorf("%s: %v is none of %v", at, v, kinds)
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
		return fmt.Errorf("%s: %v is none of %v", at, v, s.Enum)
	}
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			if s.Items != nil {
				if err := d.fits(s.Items, item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
					return err
				}
			}
		}
	case map[string]any:
		return d.fitsObject(s, v, at)
	}
	return nil
}

func (d *document) fitsObject(s *schema, v map[string]any, at string) error {
	for _, key := range s.Required {
		if _, ok := v[key]; !ok {
			return fmt.Errorf("%s: no %s", at, key)
		}
	}
	var others *schema
	if len(s.Additional) > 0 && s.Additional[0] == '{' {
		if err := json.Unmarshal(s.Additional, &others); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(v)) {
		inner := s.Properties[key]
		if inner == nil {
			inner = others
		}
		if inner == nil && s.Properties != nil {
			return fmt.Errorf("%s: %s is not documented", at, key)
		}
		if inner != nil {
			if err := d.fits(inner, v[key], at+"."+key); err != nil {
				return err
			}
		}
	}
	return nil
}

func isA(kind string, v any) bool {
	switch v := v.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && v == float64(int64(v))
	case []any:
		return kind == "array"
	}
	return kind == "object"
}

// bodies are requests that the fake daemon takes.
var bodies = map[string]string{
	"/v1/regions":              `{"id":"a","age_s":0,"ttl_s":60,"regions":{"text":[[1]]},"samples":[{"channel":"co2","value":1,"time":"2026-01-02T15:04:05Z"}]}`,
	"/v1/fuse":                 `{"regions":{"text":[[1,2]]}}`,
	"/v1/label":                `{"label":"occupied","from":"2026-01-02T15:04:05Z","source":"me"}`,
	"/v1/record":               `{"on":true}`,
	"/v1/reload":               ``,
	"/v2/models/{model}/infer": `{"id":"a","inputs":[{"name":"text","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"logits"}]}`,
}

// Every operation of the document is there and answers as it says, in good times
// and in bad; a request of the test is as it says too.
func TestDocumentHoldsForTheServer(t *testing.T) {
	d := readDocument(t)
	r := serve(t, nil)
	r.daemon.set(func() {
		age, connected := 1.5, true
		r.daemon.recordings = []Recording{{File: "a.mcap", Begin: time.Unix(1, 0), End: time.Unix(2, 0), Bytes: 1, Messages: 2, Labels: 1}}
		r.daemon.directory, r.daemon.lines = t.TempDir(), 3
		require.NoError(t, os.WriteFile(filepath.Join(r.daemon.directory, "a.mcap"), []byte("x"), 0o600))
		r.daemon.status = Status{
			Version: "1", State: StateDegraded, Reason: "why", Model: &ModelStatus{"tiny", "sha256:00"}, LastResultAgeS: &age,
			Sensors: []SensorStatus{{Alias: "desk", Type: "i2c", State: StateDown, Reason: "why", LastSuccessAgeS: &age}},
			Sinks:   []SinkStatus{{Type: "mqtt", Connected: &connected, Thinned: 1, Late: 1, LastError: "why"}},
			Late:    []string{"pipeline"}, Record: &RecordStatus{LastError: "why"}, Config: ConfigStatus{LastError: "why"},
		}
	})
	require.NoError(t, r.server.Write(some(1)))
	for path, operations := range d.Paths {
		for method, o := range operations {
			require.NotEmpty(t, o.Summary, path)
			if path == "/v1/stream" {
				continue // it does not end
			}
			method = strings.ToUpper(method)
			body, known := bodies[path]
			require.Equal(t, method == http.MethodPost, known, path)
			if len(o.RequestBody.Content) > 0 {
				var v any
				require.NoError(t, json.Unmarshal([]byte(body), &v))
				require.NoError(t, d.fits(o.RequestBody.Content[typeJSON].Schema, v, path))
			}
			at := placed(path)
			d.holds(t, &o, r.request(method, at, body), path)
			if method == http.MethodPost {
				d.holds(t, &o, r.request(method, at, "nonsense"), path)
				d.holds(t, &o, r.request(http.MethodGet, at, ""), path)
			} else {
				d.holds(t, &o, r.request(http.MethodPut, at, ""), path)
			}
		}
	}
	r.daemon.set(func() { r.daemon.live, r.daemon.ready, r.daemon.refusal = ErrNotReady, ErrNotReady, ErrNotReady })
	for path, operations := range d.Paths {
		for method, o := range operations {
			if path != "/v1/stream" {
				d.holds(t, &o, r.request(strings.ToUpper(method), placed(path), bodies[path]), path)
			}
		}
	}
}

// placed is a path of the document with names in it that the fake daemon knows.
func placed(path string) string {
	file := "a.mcap"
	if strings.HasPrefix(path, pagePath) {
		file = "page.js"
	}
	if path == "/v1/recordings/{file}/attention" {
		path += "?at=2026-01-02T15:04:05Z"
	}
	return strings.NewReplacer("{model}", "tiny", "{file}", file).Replace(path)
}

func (r *rig) request(method, path, body string) answer {
	req, err := http.NewRequest(method, "http://ragedge"+path, strings.NewReader(body))
	require.NoError(r, err)
	req.Header.Set("Content-Type", typeJSON)
	return do(r.T, r.unix, req)
}

// holds checks a reply against its operation.
func (d *document) holds(t *testing.T, o *operation, a answer, path string) {
	t.Helper()
	said, ok := o.Responses[fmt.Sprint(a.code)]
	require.True(t, ok, "%s answers %d: %s", path, a.code, a.body)
	content := said.Content
	if name, ok := strings.CutPrefix(said.Ref, "#/components/responses/"); ok {
		content = d.Components.Responses[name].Content
	}
	kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	body, ok := content[kind]
	require.True(t, ok, "%s answers %s", path, kind)
	if kind == typeJSON {
		var v any
		require.NoError(t, json.Unmarshal([]byte(a.body), &v))
		require.NoError(t, d.fits(body.Schema, v, path), a.body)
	}
}

// Every path that the server compares with is in the document.
func TestDocumentNamesEveryPath(t *testing.T) {
	d := readDocument(t)
	for _, file := range []string{"handler.go", "inference.go"} {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		found := regexp.MustCompile(`(?:case|==) "(/[a-z0-9/.]+)"`).FindAllStringSubmatch(string(source), -1)
		require.NotEmpty(t, found)
		for _, m := range found {
			require.Contains(t, d.Paths, m[1])
		}
	}
}
