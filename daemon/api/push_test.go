package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/safetensors"
)

func TestDecodeJSON(t *testing.T) {
	at := time.Date(2026, 1, 2, 15, 4, 5, 500e6, time.UTC)
	for body, want := range map[string]Push{
		`{}`:             {},
		" \n{\t}\r\n ":   {},
		`{"regions":{}}`: {},
		`{"age_s":1.5,"ttl_s":60,"id":"q1 ä"}`: {
			ID: "q1 ä", Age: 1500 * time.Millisecond, TTL: time.Minute,
		},
		`{"regions":{"text":[[1,2.5],[-3e-1,0]],"image":[[7]]}}`: {Regions: []Regions{
			{Modality: "text", Rows: 2, Features: 2, Data: []float32{1, 2.5, -0.3, 0}},
			{Modality: "image", Rows: 1, Features: 1, Data: []float32{7}},
		}},
		`{"regions":{"image":[]}}`: {Regions: []Regions{{Modality: "image"}}},
		`{"samples":[{"channel":"light1","value":3.2,"time":"2026-01-02T15:04:05.5Z"},{"value":-1e300,"channel":"x"}],"regions":{"a":[[1]]}}`: {
			Regions: []Regions{{Modality: "a", Rows: 1, Features: 1, Data: []float32{1}}},
			Samples: []Sample{{Channel: "light1", Value: 3.2, Time: at}, {Channel: "x", Value: -1e300}},
		},
		`{"\u0069d":"x"}`: {ID: "x"},
	} {
		got, err := DecodeJSON([]byte(body))
		require.NoError(t, err, body)
		require.Equal(t, &want, got, body)
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	for body, want := range map[string]string{
		``:                                       "the body ends too early",
		`{`:                                      "the body ends too early",
		`{"age_s"`:                               "the body ends too early",
		`{"regions":{"text":[[1],`:               `regions: modality "text"`,
		`[]`:                                     "want an object, have an array",
		`null`:                                   "want an object, have null",
		`{}{}`:                                   "byte 2: something follows the object",
		`{} x`:                                   "something follows the object",
		`{,}`:                                    "byte 1",
		`{"id":"a",}`:                            "byte",
		`{'id':1}`:                               "byte",
		`{"age":1}`:                              `unknown key "age" (known: age_s, ttl_s, id, regions, samples)`,
		`{"ID":"x"}`:                             `unknown key "ID"`,
		`{"id":"a","id":"b"}`:                    `key "id" appears twice`,
		`{"id":"a","\u0069d":"b"}`:               `key "id" appears twice`,
		`{"id":7}`:                               "id: want a string, have a number",
		`{"id":null}`:                            "id: want a string, have null",
		`{"id":"a\nb"}`:                          `id: '\n' cannot be printed`,
		"{\"id\":\"\xff\"}":                      "the body is not UTF-8",
		`{"age_s":"1"}`:                          "age_s: want a number, have a string",
		`{"age_s":null}`:                         "age_s: want a number, have null",
		`{"age_s":-1}`:                           "age_s: -1 is not between 0 and 1e+09 seconds",
		`{"ttl_s":1e10}`:                         "ttl_s: 1e+10 is not between 0 and 1e+09 seconds",
		`{"ttl_s":1e400}`:                        "ttl_s: 1e400 is not finite in float64",
		`{"ttl_s":NaN}`:                          "byte",
		`{"regions":[]}`:                         "regions: want an object, have an array",
		`{"regions":{"text":[1]}}`:               `regions: modality "text": row 0: want an array, have a number`,
		`{"regions":{"text":{}}}`:                `regions: modality "text": want an array, have an object`,
		`{"regions":{"t":[[1,2],[3]]}}`:          `regions: modality "t": row 1: 1 features, want 2`,
		`{"regions":{"t":[[1],[2,3]]}}`:          `regions: modality "t": row 1: 2 features, want 1`,
		`{"regions":{"t":[[]]}}`:                 `regions: modality "t": row 0: 0 features, want 1`,
		`{"regions":{"t":[[1,2],[3,null]]}}`:     `regions: modality "t": row 1: feature 1: want a number, have null`,
		`{"regions":{"t":[[1,2],[3,"4"]]}}`:      `regions: modality "t": row 1: feature 1: want a number, have a string`,
		`{"regions":{"t":[[true]]}}`:             `regions: modality "t": row 0: feature 0: want a number, have a boolean`,
		`{"regions":{"t":[[[1]]]}}`:              `regions: modality "t": row 0: feature 0: want a number, have an array`,
		`{"regions":{"t":[[1e39]]}}`:             `regions: modality "t": row 0: feature 0: 1e39 is not finite in float32`,
		`{"regions":{"t":[[1]],"t":[[2]]}}`:      `regions: key "t" appears twice`,
		`{"samples":{}}`:                         "samples: want an array, have an object",
		`{"samples":[7]}`:                        "samples: sample 0: want an object, have a number",
		`{"samples":[{}]}`:                       "samples: sample 0: needs a channel and a value",
		`{"samples":[{"channel":"a"}]}`:          "samples: sample 0: needs a channel and a value",
		`{"samples":[{"value":1}]}`:              "samples: sample 0: needs a channel and a value",
		`{"samples":[{"channel":"","value":1}]}`: "samples: sample 0: needs a channel and a value",
		`{"samples":[{"channel":"a","Value":1}]}`:       `samples: sample 0: unknown key "Value" (known: channel, value, time)`,
		`{"samples":[{"channel":"a","value":"1"}`:       "samples: sample 0: value: want a number, have a string",
		`{"samples":[{"value":1e309}]}`:                 "samples: sample 0: value: 1e309 is not finite in float64",
		`{"samples":[{"time":"yesterday"}]}`:            `samples: sample 0: time: "yesterday" is no time such as`,
		`{"samples":[{"time":"0001-01-01T00:00:00Z"}]}`: `is no time such as`,
		`{"samples":[{"time":1700000000}]}`:             "samples: sample 0: time: want a string, have a number",
	} {
		p, err := DecodeJSON([]byte(body))
		require.Nil(t, p, body)
		require.ErrorIs(t, err, ErrInvalid, body)
		require.ErrorContains(t, err, want, body)
	}
}

// TestDecodeBounds: what is exactly as large as allowed passes, one more does not.
func TestDecodeBounds(t *testing.T) {
	list := func(n int, format string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = fmt.Sprintf(strings.ReplaceAll(format, "#", "%[1]d"), i)
		}
		return strings.Join(parts, ",")
	}
	for name, tt := range map[string]struct {
		max  int
		body func(n int) string
		want string
	}{
		"rows": {maxRows, func(n int) string { return `{"regions":{"t":[` + list(n, "[#]") + `]}}` },
			`regions: modality "t": more than 4096 rows`},
		"modalities": {maxModalities, func(n int) string { return `{"regions":{` + list(n, `"m#":[[1]]`) + `}}` },
			`regions: modality "m64": more than 64 modalities`},
		"samples": {maxSamples, func(n int) string { return `{"samples":[` + list(n, `{"channel":"a","value":#}`) + `]}` },
			"samples: more than 4096 samples"},
		"id": {maxID, func(n int) string { return `{"id":"` + strings.Repeat("x", n) + `"}` },
			"id: 129 bytes long, at most 128 are allowed"},
	} {
		_, err := DecodeJSON([]byte(tt.body(tt.max)))
		require.NoError(t, err, name)
		_, err = DecodeJSON([]byte(tt.body(tt.max + 1)))
		require.ErrorIs(t, err, ErrInvalid, name)
		require.ErrorContains(t, err, tt.want, name)
	}
	// A long name in an error is cut.
	_, err := DecodeJSON([]byte(`{"` + strings.Repeat("k", 10000) + `":1}`))
	require.Less(t, len(err.Error()), 300)
}

// tensors returns the bytes of a safetensors file.
func tensors(t testing.TB, all ...safetensors.Tensor) []byte {
	t.Helper()
	b, err := (&safetensors.File{Tensors: all}).Bytes()
	require.NoError(t, err)
	return b
}

func TestDecodeTensors(t *testing.T) {
	body := tensors(t,
		safetensors.NewFloat32("text", []float32{1, 2, 3, 4, 5, 6}, 2, 3),
		safetensors.NewFloat32("image", nil, 0, 8))
	p, err := decodeTensors(body, url.Values{"age": {"1.5"}, "ttl": {"2m"}, "id": {"q1"}})
	require.NoError(t, err)
	require.Equal(t, "q1", p.ID)
	require.Equal(t, 1500*time.Millisecond, p.Age)
	require.Equal(t, 2*time.Minute, p.TTL)
	byName := map[string]Regions{}
	for _, r := range p.Regions {
		byName[r.Modality] = r
	}
	require.Equal(t, Regions{Modality: "text", Rows: 2, Features: 3, Data: []float32{1, 2, 3, 4, 5, 6}}, byName["text"])
	require.Equal(t, 0, byName["image"].Rows)
	require.Len(t, byName, 2)
}

func TestDecodeTensorsRefuses(t *testing.T) {
	nan := float32(math.NaN())
	good := safetensors.NewFloat32("a", []float32{1}, 1, 1)
	for name, tt := range map[string]struct {
		body  []byte
		query url.Values
		want  string
	}{
		"no file":   {[]byte("x"), nil, "not a valid safetensors file"},
		"trailing":  {append(tensors(t, good), 0), nil, "not a valid safetensors file"},
		"rank 1":    {tensors(t, safetensors.NewFloat32("text", []float32{1}, 1)), nil, `modality "text": want an F32 tensor [rows, features], have F32 [1]`},
		"rank 3":    {tensors(t, safetensors.NewFloat32("text", []float32{1}, 1, 1, 1)), nil, "have F32 [1 1 1]"},
		"no width":  {tensors(t, safetensors.NewFloat32("text", nil, 1, 0)), nil, "have F32 [1 0]"},
		"type":      {tensors(t, safetensors.NewInt64("text", []int64{1}, 1, 1)), nil, "have I64 [1 1]"},
		"NaN":       {tensors(t, good, safetensors.NewFloat32("b", []float32{1, 2, 3, 4, 5, nan}, 2, 3)), nil, `modality "b": row 1: feature 2: NaN is not finite`},
		"Inf":       {tensors(t, safetensors.NewFloat32("b", []float32{float32(math.Inf(-1))}, 1, 1)), nil, `modality "b": row 0: feature 0: -Inf is not finite`},
		"rows":      {tensors(t, safetensors.NewFloat32("b", make([]float32, maxRows+1), maxRows+1, 1)), nil, `modality "b": 4097 rows, at most 4096 are allowed`},
		"age":       {tensors(t, good), url.Values{"age": {"-1s"}}, "age: -1 is not between 0 and"},
		"age word":  {tensors(t, good), url.Values{"age": {"old"}}, `age: "old" is neither seconds nor a duration`},
		"age empty": {tensors(t, good), url.Values{"age": {""}}, `age: "" is neither seconds nor a duration`},
		"ttl":       {tensors(t, good), url.Values{"ttl": {"NaN"}}, "ttl: NaN is not between 0 and"},
		"id":        {tensors(t, good), url.Values{"id": {"\x00"}}, `id: '\x00' cannot be printed`},
	} {
		p, err := decodeTensors(tt.body, tt.query)
		require.Nil(t, p, name)
		require.ErrorIs(t, err, ErrInvalid, name)
		require.ErrorContains(t, err, tt.want, name)
	}
}

// sound fails when a push that was accepted is not what Push promises.
func sound(t *testing.T, p *Push) {
	require.LessOrEqual(t, len(p.Regions), maxModalities)
	require.LessOrEqual(t, len(p.Samples), maxSamples)
	require.LessOrEqual(t, len(p.ID), maxID)
	for _, d := range []time.Duration{p.Age, p.TTL} {
		require.True(t, d >= 0 && d <= maxSeconds*time.Second)
	}
	names := map[string]bool{}
	for _, r := range p.Regions {
		require.False(t, names[r.Modality])
		names[r.Modality] = true
		require.LessOrEqual(t, r.Rows, maxRows)
		require.Len(t, r.Data, r.Rows*r.Features)
		require.True(t, r.Rows == 0 || r.Features > 0)
		for _, v := range r.Data {
			require.Zero(t, v-v)
		}
	}
	for _, s := range p.Samples {
		require.NotEmpty(t, s.Channel)
		require.Zero(t, s.Value-s.Value)
	}
}

func FuzzDecodeJSON(f *testing.F) {
	f.Add([]byte(`{"age_s":0,"ttl_s":60,"id":"q1","regions":{"text":[[1,2],[3,4]]}}`))
	f.Add([]byte(`{"samples":[{"channel":"light1","value":3.2,"time":"2026-01-02T15:04:05Z"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := DecodeJSON(body)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			require.Nil(t, p)
			return
		}
		require.True(t, json.Valid(body), "what is no JSON was taken")
		sound(t, p)
	})
}

func FuzzDecodeTensors(f *testing.F) {
	f.Add(tensors(f, safetensors.NewFloat32("text", []float32{1, 2, 3, 4}, 2, 2)), "1.5", "60s", "q1")
	f.Add(tensors(f, safetensors.NewFloat32("a", nil, 0, 3), safetensors.NewFloat32("b", []float32{0}, 1, 1)), "", "", "")
	f.Fuzz(func(t *testing.T, body []byte, age, ttl, id string) {
		before := bytes.Clone(body)
		p, err := decodeTensors(body, url.Values{"age": {age}, "ttl": {ttl}, "id": {id}})
		require.Equal(t, before, body)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			require.Nil(t, p)
			return
		}
		sound(t, p)
	})
}
