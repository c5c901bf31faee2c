package encoder

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/require"
)

const roomJSON = `{"tick":"30s","modalities":{
	"light":{"encoder":"window","channels":["S1_Light","S2_Light"],"regions":8,"every":"30s",
		"functions":["last","energy:0.5-3Hz"],"fill":"hold","stale_after":"90s","baseline":true},
	"picture":{"encoder":"push","regions":49,"stale_after":"2s"}}}`

const roomTOML = `
tick = "30s"
[modality.light]
encoder = "window"
channels = ["S1_Light", "S2_Light"]
regions = 8
every = "30s"
functions = ["last", "energy:0.5-3Hz"]
fill = "hold"
stale_after = "1m30s"
baseline = true
baseline_window = "1h"
[modality.picture]
encoder = "push"
regions = 49
stale_after = "2s"
`

func room() Features {
	return Features{
		Tick: Duration(30 * time.Second),
		Modalities: map[string]Definition{
			"light": {
				Encoder: Windowed, Channels: []string{"S1_Light", "S2_Light"}, Regions: 8, Every: Duration(30 * time.Second),
				Functions: []string{"last", "energy:0.5-3Hz"}, Fill: FillHold, StaleAfter: Duration(90 * time.Second),
				Baseline: true, BaselineWindow: Duration(time.Hour),
			},
			"picture": {Encoder: Push, Regions: 49, StaleAfter: Duration(2 * time.Second)},
		},
	}
}

func TestParseFeatures(t *testing.T) {
	f, err := ParseFeatures([]byte(roomJSON))
	require.NoError(t, err)
	require.Equal(t, room(), f)
	require.Equal(t, 4, f.Modalities["light"].Width())
	require.Zero(t, f.Modalities["picture"].Width())

	text, err := json.Marshal(f)
	require.NoError(t, err)
	again, err := ParseFeatures(text)
	require.NoError(t, err)
	require.Equal(t, f, again)
}

func TestFeaturesFromTOML(t *testing.T) {
	var f Features
	require.NoError(t, toml.NewDecoder(strings.NewReader(roomTOML)).DisallowUnknownFields().Decode(&f))
	require.NoError(t, f.Check())
	require.Equal(t, room(), f.WithDefaults())
}

func TestDefaultsLeaveTheOriginalAlone(t *testing.T) {
	f := Features{Modalities: map[string]Definition{"a": {Encoder: Windowed}}}
	require.Equal(t, FillNone, f.WithDefaults().Modalities["a"].Fill)
	require.Empty(t, f.Modalities["a"].Fill)
}

func TestParseFeaturesRefuses(t *testing.T) {
	const light = `{"tick":"30s","modalities":{"light":{"encoder":"window","channels":["a"],"regions":8,"every":"30s","functions":["last"]`
	for text, want := range map[string]string{
		``:                           "no JSON: unexpected EOF",
		`[]`:                         "want an object {…}",
		`null`:                       "want an object {…}",
		`{"tick":"30s"`:              "no JSON: unexpected EOF",
		`{"tick":}`:                  `no JSON after key "tick"`,
		`{}`:                         "modalities: there are none",
		`{"tick":"30s"}`:             "modalities: there are none",
		`{"modalities":{}}`:          "modalities: there are none",
		`{"modalities":[]}`:          "modalities: want an object {…}",
		`{"modalities":{"light":1}}`: "modalities.light: want an object {…}",
		`{"Tick":"30s"}`:             "Tick: unknown key",
		`{"tick":30}`:                `tick: want a duration such as "30s", got number`,
		`{"tick":"30"}`:              `tick: "30" is no duration such as "30s" or "200ms"`,
		`{"tick":null}`:              "tick: null is no value; leave the key out",
		`{"tick":"1s","tick":"2s"}`:  `key "tick" occurs twice`,
		light + `}}} x`:              "there is something after the object",
		light + `}}}{}`:              "there is something after the object",
		light + `}},"ticks":1}`:      "ticks: unknown key",
		light + `,"evry":"30s"}}}`:   "modalities.light.evry: unknown key",
		light + `,"every":"30s"}}}`:  `modalities.light: key "every" occurs twice`,
		light + `},"light":{}}}`:     `modalities: key "light" occurs twice`,
		light + `},"Door":{"encoder":"push","regions":1}}}`:                 `modalities: "Door" is no name: use letters a-z`,
		light + `,"fill":"zero"}}}`:                                         `modalities.light.fill: "zero" is neither "none" nor "hold"`,
		light + `,"fill":"hold"}}}`:                                         "modalities.light.stale_after: required: a duration above 0",
		light + `,"stale_after":"-1s"}}}`:                                   "modalities.light.stale_after: -1s is not above 0",
		light + `,"stale_after":1.5}}}`:                                     `modalities.light.stale_after: want a duration such as "30s", got number`,
		light + `,"baseline":1}}}`:                                          "modalities.light.baseline: want true or false, got number",
		light + `,"baseline_window":"1h"}}}`:                                "modalities.light.baseline_window: has no effect without baseline = true",
		light + `,"baseline":true,"baseline_window":"9000h"}}}`:             "modalities.light.baseline_window: 9000h0m0s is more than 8784h0m0s",
		`{"modalities":{"a":{"encoder":["window"]}}}`:                       "modalities.a.encoder: want a string, got array",
		`{"modalities":{"a":{"encoder":"push","regions":"8"}}}`:             "modalities.a.regions: want a whole number, got string",
		`{"modalities":{"a":{"encoder":"push","regions":8.5}}}`:             "modalities.a.regions: want a whole number, got number 8.5",
		`{"modalities":{"a":{"encoder":"push","regions":99999999999}}}`:     "modalities.a.regions: ",
		`{"modalities":{"a":{"encoder":"push"}}}`:                           "modalities.a.regions: 0 is not in 1..65536",
		`{"modalities":{"a":{"encoder":"push","regions":8,"every":"1s"}}}`:  `modalities.a.every: has no effect with the encoder "push"`,
		`{"modalities":{"a":{"encoder":"push","regions":8,"channels":[]}}}`: `modalities.a.channels: has no effect with the encoder "push"`,
		`{"modalities":{"a":{"channels":"b"}}}`:                             "modalities.a.channels: want a list of strings, got string",
		`{"modalities":{"a":{"functions":["last",3]}}}`:                     "modalities.a.functions: want a list of strings, got number",
		`{"modalities":{"a":{}}}`:                                           `modalities.a.encoder: required: "window" or "push"`,
		`{"modalities":{"a":{"encoder":"logmel","regions":8}}}`:             `modalities.a.encoder: this build does not have the encoder "logmel" yet`,
		`{"modalities":{"a":{"encoder":"Window","regions":8}}}`:             `modalities.a.encoder: there is no encoder "Window", only "window" and "push"`,
	} {
		_, err := ParseFeatures([]byte(text))
		require.ErrorContains(t, err, want, text)
		require.True(t, strings.HasPrefix(err.Error(), want), "%s: %v", text, err)
	}
	_, err := ParseFeatures([]byte(`{"tick"`))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestCheck(t *testing.T) {
	require.NoError(t, room().Check())
	for _, c := range []struct {
		want, configPath string
		change           func(f *Features, light *Definition)
	}{
		{"tick: required: a duration above 0", "tick", func(f *Features, _ *Definition) { f.Tick = 0 }},
		{"tick: -1s is not above 0", "tick", func(f *Features, _ *Definition) { f.Tick = Duration(-time.Second) }},
		{`modalities: "" is no name`, "modality", func(f *Features, _ *Definition) { f.Modalities[""] = Definition{} }},
		{"modalities.light.channels: required", "modality.light.channels", func(_ *Features, d *Definition) { d.Channels = nil }},
		{`modalities.light.channels: "a" occurs twice`, "modality.light.channels", func(_ *Features, d *Definition) { d.Channels = []string{"a", "b", "a"} }},
		{"modalities.light.channels: a name is empty", "modality.light.channels", func(_ *Features, d *Definition) { d.Channels = []string{""} }},
		{"modalities.light.every: required", "modality.light.every", func(_ *Features, d *Definition) { d.Every = 0 }},
		{"modalities.light.every: -30s is not above 0", "modality.light.every", func(_ *Features, d *Definition) { d.Every = Duration(-30 * time.Second) }},
		{"modalities.light.every: 8 regions of 8000h0m0s reach back more than 8784h0m0s", "modality.light.every", func(_ *Features, d *Definition) { d.Every = Duration(8000 * time.Hour) }},
		{"modalities.light.functions: required", "modality.light.functions", func(_ *Features, d *Definition) { d.Functions = nil }},
		{`modalities.light.functions: "last" occurs twice`, "modality.light.functions", func(_ *Features, d *Definition) { d.Functions = []string{"last", "last"} }},
		{`modalities.light.functions: there is no function "average"`, "modality.light.functions", func(_ *Features, d *Definition) { d.Functions = []string{"last", "average"} }},
		{`modalities.light.functions: "energy:3-2Hz": 3 is not below 2`, "modality.light.functions", func(_ *Features, d *Definition) { d.Functions = []string{"energy:3-2Hz"} }},
		{"modalities.light.regions: 0 is not in 1..65536", "modality.light.regions", func(_ *Features, d *Definition) { d.Regions = 0 }},
		{"modalities.light.regions: 65537 is not in 1..65536", "modality.light.regions", func(_ *Features, d *Definition) { d.Regions = 65537 }},
		{"modalities.light.regions: 65536 regions of 9 channels with 2 functions are more than 1048576 features", "modality.light.regions", func(_ *Features, d *Definition) {
			d.Regions, d.Every = 65536, Duration(time.Second)
			d.Channels = strings.Split("a b c d e f g h i", " ")
		}},
		// Their product is 0 in 32 bits.
		{"modalities.light.regions: 65536 regions of 65536 channels with 1 functions are more", "modality.light.regions", func(_ *Features, d *Definition) {
			d.Regions, d.Every, d.Functions, d.Channels = 65536, Duration(time.Second), []string{"last"}, nil
			for i := range 65536 {
				d.Channels = append(d.Channels, strconv.Itoa(i))
			}
		}},
		{"modalities.picture.stale_after: -1s is not above 0", "modality.picture.stale_after", func(f *Features, _ *Definition) {
			f.Modalities["picture"] = Definition{Encoder: Push, Regions: 1, StaleAfter: Duration(-time.Second)}
		}},
	} {
		f := room()
		light := f.Modalities["light"]
		c.change(&f, &light)
		f.Modalities["light"] = light
		err := f.Check()
		require.ErrorContains(t, err, c.want)
		e, ok := errors.AsType[*KeyError](err)
		require.True(t, ok)
		require.Equal(t, c.configPath, e.ConfigPath())
	}
	pushed := Features{Modalities: map[string]Definition{"a": {Encoder: Push, Regions: 1}}}
	require.NoError(t, pushed.Check(), "pushed modalities need no tick")
}

func TestDifference(t *testing.T) {
	require.Empty(t, room().Difference(room()))
	left := room()
	light := left.Modalities["light"]
	light.BaselineWindow = 0
	left.Modalities["light"] = light
	require.Empty(t, left.Difference(room()), "a default says the same as the key left out")

	for want, change := range map[string]func(f *Features, light *Definition){
		"tick":                           func(f *Features, _ *Definition) { f.Tick++ },
		"modality.picture":               func(f *Features, _ *Definition) { delete(f.Modalities, "picture") },
		"modality.door":                  func(f *Features, _ *Definition) { f.Modalities["door"] = Definition{} },
		"modality.light.encoder":         func(_ *Features, d *Definition) { d.Encoder = Push },
		"modality.light.channels":        func(_ *Features, d *Definition) { d.Channels = []string{"S2_Light", "S1_Light"} },
		"modality.light.regions":         func(_ *Features, d *Definition) { d.Regions = 7 },
		"modality.light.every":           func(_ *Features, d *Definition) { d.Every++ },
		"modality.light.functions":       func(_ *Features, d *Definition) { d.Functions = d.Functions[:1] },
		"modality.light.fill":            func(_ *Features, d *Definition) { d.Fill = "" },
		"modality.light.stale_after":     func(_ *Features, d *Definition) { d.StaleAfter++ },
		"modality.light.baseline":        func(_ *Features, d *Definition) { d.Baseline = false },
		"modality.light.baseline_window": func(_ *Features, d *Definition) { d.BaselineWindow++ },
	} {
		f := room()
		light := f.Modalities["light"]
		change(&f, &light)
		f.Modalities["light"] = light
		require.Equal(t, want, f.Difference(room()))
		require.Equal(t, want, room().Difference(f))
	}
}

// Whatever is accepted says the same after a round trip, and makes windows.
func FuzzParseFeatures(f *testing.F) {
	f.Add([]byte(roomJSON))
	f.Fuzz(func(t *testing.T, text []byte) {
		features, err := ParseFeatures(text)
		if err != nil {
			require.Equal(t, Features{}, features)
			return
		}
		again, err := json.Marshal(features)
		require.NoError(t, err)
		parsed, err := ParseFeatures(again)
		require.NoError(t, err)
		require.Empty(t, features.Difference(parsed))
		for _, d := range features.Modalities {
			if d.Encoder == Push {
				continue
			}
			w, err := NewWindow(d)
			require.NoError(t, err)
			require.True(t, w.Add(Sample{d.Channels[0], 0, 1}))
		}
	})
}
