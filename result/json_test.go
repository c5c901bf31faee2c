package result

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func room() Result {
	return Result{
		Seq:     7,
		Time:    time.Date(2017, 12, 22, 13, 31, 2, 45_000_000, time.UTC),
		Quality: "ntp",
		Mono:    1234567890123,
		BootID:  "0b7c9c4e",
		Label:   "2 people",
		Labels:  []string{"empty", "1 person", "2 people"},
		// 2⁻²⁴ has an exponent, 0.1 not the digits of its float64.
		Probabilities: []float32{5.9604645e-08, 0.1, 0.9},
		Model:         "sha256:00ff",
		KernelSet:     "avx2",
		Modalities: []Modality{
			{Name: "sound", Share: 0.25, Present: true, Age: 1001 * time.Millisecond, Rows: 8},
			{Name: "light", Reason: "sensor desk-light: no such device", Age: 95 * time.Second},
			{Name: "motion", Reason: "no data yet", Age: -1},
		},
	}
}

const roomLine = `{"seq":7,"time":"2017-12-22T13:31:02.045Z","time_quality":"ntp","mono_ns":1234567890123,"boot_id":"0b7c9c4e",` +
	`"label":"2 people","probabilities":{"empty":5.9604645e-8,"1 person":0.1,"2 people":0.9},"entropy":0.2959042,"model":"sha256:00ff","kernel_set":"avx2",` +
	`"modalities":{"sound":{"share":0.25,"present":true,"reason":"","age_s":1.001,"rows":8},` +
	`"light":{"share":0,"present":false,"reason":"sensor desk-light: no such device","age_s":95,"rows":0},` +
	`"motion":{"share":0,"present":false,"reason":"no data yet","rows":0}}}`

func TestAppendJSON(t *testing.T) {
	for _, c := range []struct {
		name   string
		result Result
		want   string
	}{
		{"a decision", room(), roomLine},
		{"nothing at all", Result{}, `{"seq":0,"mono_ns":0}`},
		{"no decision", Result{Seq: 1, Labels: []string{"a"}, Reason: "no modality has data"},
			`{"seq":1,"mono_ns":0,"label":null,"reason":"no modality has data"}`},
		{"values", Result{Values: []float32{1, -2.5, 1e21, 1e-7, 1e-6, 1e-38, 16777216, float32(math.Copysign(0, -1))}},
			`{"seq":0,"mono_ns":0,"values":[1,-2.5,1e+21,1e-7,0.000001,1e-38,16777216,-0]}`},
		{"no number", Result{Values: []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}},
			`{"seq":0,"mono_ns":0,"values":[null,null,null]}`},
		{"extremes", Result{Seq: math.MaxUint64, Mono: math.MinInt64, Values: []float32{math.MaxFloat32, math.SmallestNonzeroFloat32}},
			`{"seq":18446744073709551615,"mono_ns":-9223372036854775808,"values":[3.4028235e+38,1e-45]}`},
		{"another zone, and less than a millisecond", Result{Time: time.Date(2026, 1, 1, 1, 0, 0, 999_999, time.FixedZone("CET", 3600))},
			`{"seq":0,"time":"2026-01-01T00:00:00.000Z","mono_ns":0}`},
		{"a time that RFC 3339 cannot write", Result{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, `{"seq":0,"mono_ns":0}`},
		{"text", Result{Label: "a\"\\\n\r\t\x00\x1f\x7f</é€😀\xff\u2028"},
			`{"seq":0,"mono_ns":0,"label":"a\"\\\n\r\t\u0000\u001f` + "\x7f</é€😀\ufffd\u2028" + `"}`},
		{"ages", Result{Modalities: []Modality{{Name: "a"}, {Name: "b", Age: 1}, {Name: "c", Age: math.MaxInt64}}},
			`{"seq":0,"mono_ns":0,"modalities":{"a":{"share":0,"present":false,"reason":"","age_s":0,"rows":0},` +
				`"b":{"share":0,"present":false,"reason":"","age_s":0.000000001,"rows":0},` +
				`"c":{"share":0,"present":false,"reason":"","age_s":9223372036.854775807,"rows":0}}}`},
		{"readings alone", Result{Seq: 1, Readings: []Reading{
			{Channel: "desk.lux", Value: 412.1, Age: 1500 * time.Millisecond}, {Channel: "door", Reason: "no data yet", Age: -1},
			{Channel: "roof", Reason: "sensor roof: gone", Value: 9, Age: time.Minute}, {Channel: "tiny", Value: 1e-7}}},
			`{"seq":1,"mono_ns":0,"readings":{"desk.lux":{"value":412.1,"age_s":1.5},"door":{"reason":"no data yet"},` +
				`"roof":{"reason":"sensor roof: gone","age_s":60},"tiny":{"value":1e-7,"age_s":0}}}`},
		{"fewer probabilities than labels", Result{Label: "a", Labels: []string{"a", "b"}, Probabilities: []float32{1}},
			`{"seq":0,"mono_ns":0,"label":"a","probabilities":{"a":1},"entropy":0}`},
		{"a label that does not hold yet", Result{Label: "a", RawLabel: "b"}, `{"seq":0,"mono_ns":0,"label":"a","raw_label":"b"}`},
		{"influence", Result{Modalities: []Modality{
			{Name: "a", Present: true, Measured: true, Effect: -0.25, Conflict: true}, {Name: "b", Measured: true}, {Name: "c", Conflict: true}}},
			`{"seq":0,"mono_ns":0,"modalities":{"a":{"share":0,"effect":-0.25,"present":true,"reason":"","age_s":0,"rows":0},` +
				`"b":{"share":0,"effect":0,"present":false,"reason":"","age_s":0,"rows":0},` +
				`"c":{"share":0,"present":false,"reason":"","age_s":0,"rows":0}},"conflict":["a","c"]}`},
		{"probabilities without labels", Result{Probabilities: []float32{1}}, `{"seq":0,"mono_ns":0}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(c.result.AppendJSON([]byte("x")))
			require.Equal(t, "x"+c.want, got)
			require.True(t, json.Valid([]byte(c.want)))
		})
	}
}

func TestRoundTrip(t *testing.T) {
	regression := room()
	regression.Label, regression.Labels, regression.Probabilities = "", nil, nil
	regression.Values = []float32{-1.5, 20.25}
	undecided := room()
	undecided.Label, undecided.Labels, undecided.Probabilities = "", []string{}, nil
	undecided.Reason = "no modality has data"
	collecting := Result{Seq: 3, Readings: []Reading{{Channel: "lux", Value: 1e300, Age: 3}, {Channel: "door", Reason: "no data yet", Age: -1}}}
	influenced := room()
	influenced.RawLabel = "1 person"
	influenced.Modalities[0].Measured, influenced.Modalities[0].Effect, influenced.Modalities[0].Conflict = true, -0.125, true
	influenced.Modalities[2].Measured = true
	for _, want := range []Result{room(), regression, undecided, collecting, influenced, {}} {
		text, err := json.Marshal(want)
		require.NoError(t, err)
		got := Result{Label: "old", Values: []float32{9}, Truth: "old"}
		require.NoError(t, json.Unmarshal(text, &got))
		require.Equal(t, want, got)
		require.Equal(t, string(want.AppendJSON(nil)), string(got.AppendJSON(nil)))
	}
}

func TestLatencyAndTruthAreNotInTheForm(t *testing.T) {
	r := room()
	r.Latency, r.Truth = time.Millisecond, "1 person"
	require.Equal(t, roomLine, string(r.AppendJSON(nil)))
}

func TestUnmarshalSkipsUnknownKeys(t *testing.T) {
	later := strings.Replace(roomLine, `"share":0.25`, `"share":0.25,"trust":0.2`, 1)
	later = strings.TrimSuffix(later, "}") + `,"weather":["fair"]}`
	var r Result
	require.NoError(t, json.Unmarshal([]byte(later), &r))
	require.Equal(t, room(), r)
}

func TestUnmarshalNull(t *testing.T) {
	var r Result
	require.NoError(t, json.Unmarshal([]byte(`{"probabilities":null,"modalities":null,"values":[null]}`), &r))
	require.Empty(t, r.Probabilities)
	require.Empty(t, r.Modalities)
	require.Len(t, r.Values, 1)
	require.True(t, math.IsNaN(float64(r.Values[0])))
}

func TestUnmarshalRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                                      "result: ",
		`{"seq":-1}`:                              "result: ",
		`{"time":"yesterday"}`:                    "result: ",
		`{"label":3}`:                             "result: label: ",
		`{"values":[1e39]}`:                       "result: ",
		`{"probabilities":[1]}`:                   "want an object {…}",
		`{"probabilities":{"a":"b"}}`:             "probabilities: a: ",
		`{"modalities":{"light":{"rows":"8"}}}`:   "modalities: light: ",
		`{"modalities":{"light":{"age_s":1e10}}}`: "1e10 seconds are more than 292 years",
		`{"modalities":{"light":{"age_s":"1s"}}}`: "modalities: light: ",
		`{"readings":{"lux":{"value":"3"}}}`:      "readings: lux: ",
	} {
		r := room()
		require.ErrorContains(t, json.Unmarshal([]byte(text), &r), want, text)
	}
}

func TestAppendJSONAllocatesNothing(t *testing.T) {
	r := room()
	r.Values = []float32{1, 2, 3}
	buffer := make([]byte, 0, 4096)
	require.Zero(t, testing.AllocsPerRun(100, func() { buffer = r.AppendJSON(buffer[:0]) }))
}

func TestCopyTo(t *testing.T) {
	a := room()
	a.Values = []float32{1, 2, 3}
	a.Readings = []Reading{{Channel: "lux", Value: 3}}
	a.Latency, a.Truth = time.Millisecond, "empty"
	var b Result
	a.CopyTo(&b)
	require.Equal(t, a, b)

	a.Probabilities[0], a.Values[0], a.Modalities[0].Name, a.Readings[0].Value = 9, 9, "changed", 9
	require.Equal(t, room().Probabilities, b.Probabilities)
	require.Equal(t, room().Modalities, b.Modalities)
	require.Equal(t, []float32{1, 2, 3}, b.Values)
	require.Equal(t, []Reading{{Channel: "lux", Value: 3}}, b.Readings)

	short := Result{Values: []float32{4}}
	require.Zero(t, testing.AllocsPerRun(10, func() {
		short.CopyTo(&b)
		a.CopyTo(&b)
	}))
	require.Equal(t, a, b)
	b.CopyTo(&b)
	require.Equal(t, a, b)
}

// Whatever the text and the numbers, encoding/json reads the same values back,
// and writes the floats in the same digits.
func FuzzAppendJSON(f *testing.F) {
	f.Add("2 people", "sensor \"a\"\n\x00\xff", float32(0.1), int64(1), uint64(1))
	f.Add("\xed\xa0\x80\u2028", "\\u0000", float32(1e-7), int64(-1), uint64(0))
	f.Add("", "", float32(math.NaN()), int64(math.MaxInt32), uint64(math.MaxUint64))
	f.Fuzz(func(t *testing.T, label, reason string, v float32, ns int64, seq uint64) {
		r := Result{
			Seq: seq, Time: time.Unix(0, ns), Mono: time.Duration(ns), Label: label, Reason: reason,
			Labels: []string{label, "other"}, Probabilities: []float32{v, 1}, Values: []float32{v},
			Modalities: []Modality{{Name: label, Share: v, Reason: reason, Age: time.Duration(ns >> 12), Rows: 3}},
			Readings:   []Reading{{Channel: label, Value: float64(v) * 1e9, Age: -1}, {Channel: "x", Reason: reason}},
			Degraded:   []string{reason, "hot"},
		}
		text := r.AppendJSON(nil)
		require.True(t, json.Valid(text), "%q", text)
		require.NotContains(t, string(text), "\n")

		var generic struct {
			Label, Reason string
			Values        []json.RawMessage
		}
		require.NoError(t, json.Unmarshal(text, &generic))
		require.Equal(t, strings.ToValidUTF8(label, "\ufffd") == label, generic.Label == label)
		require.Equal(t, []rune(label), []rune(generic.Label), "one U+FFFD for each bad byte")
		require.Equal(t, []rune(reason), []rune(generic.Reason))
		if digits, err := json.Marshal(v); err == nil {
			require.Equal(t, string(digits), string(generic.Values[0]))
		} else {
			require.Equal(t, "null", string(generic.Values[0]))
		}

		var back Result
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, string(text), string(back.AppendJSON(nil)))
		if v == v && !math.IsInf(float64(v), 0) {
			require.Equal(t, math.Float32bits(v), math.Float32bits(back.Values[0]))
		}
		require.Equal(t, max(-1, r.Modalities[0].Age), back.Modalities[0].Age)
		require.True(t, r.Time.Truncate(time.Millisecond).Equal(back.Time))
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	r := room()
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		buffer = r.AppendJSON(buffer[:0])
	}
}
