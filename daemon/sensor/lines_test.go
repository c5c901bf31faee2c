package sensor

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/mqtt"
)

// parseAll feeds lines to a parser and returns what it found, as name=value.
func parseAll(t *testing.T, format, text string) (found []string, errs []string) {
	parse := newLineParser(format)
	for line := range strings.Lines(text) {
		if err := parse([]byte(line), func(name string, v float64) { found = append(found, fmt.Sprint(name, "=", v)) }); err != nil {
			errs = append(errs, err.Error())
		}
	}
	return found, errs
}

func TestLineParsers(t *testing.T) {
	for _, c := range []struct {
		format, text string
		want         []string
		err          string
	}{
		{FormatJSON, `{"a":1.5}`, []string{"a=1.5"}, ""},
		{FormatJSON, `{"a":{"b":{"c":-2e3}}}`, []string{"a.b.c=-2000"}, ""},
		{FormatJSON, `{"a":"21.5"}`, []string{"a=21.5"}, ""},
		{FormatJSON, `{"a":false}`, []string{"a=0"}, ""},
		{FormatJSON, `{"a":null,"b":[1],"c":"on"}`, nil, ""},
		{FormatJSON, "\n", nil, ""},
		{FormatJSON, `[1]`, nil, "is not a JSON object"},
		{FormatJSON, `{"a":1} {"a":2}`, nil, "is not a JSON object"},
		{FormatCSV, "a,b\n1, 2\n", []string{"a=1", "b=2"}, ""},
		{FormatCSV, "a,\"b,c\"\nx,\"3\"\n", []string{"b,c=3"}, ""},
		{FormatCSV, "\na\n\n7\n", []string{"a=7"}, ""},
		{FormatCSV, "a,b\n1\n", nil, "1 cells, but the first line has 2 names"},
		{FormatCSV, "a\n\"1\n", nil, "is not CSV"},
		{FormatInflux, `weather,place=roof temp=21.5,rain=3i 1700000000000000000`, []string{"temp=21.5", "weather.temp=21.5", "rain=3", "weather.rain=3"}, ""},
		{FormatInflux, `w\ 1,p=a\,b t\=x=2u,s="a,b c=d",on=true`, []string{"t=x=2", "w 1.t=x=2", "on=1", "w 1.on=1"}, ""},
		{FormatInflux, "# comment\n\nw t=F\n", []string{"t=0", "w.t=0"}, ""},
		{FormatInflux, `w`, nil, "not a line like: weather"},
		{FormatInflux, `w t`, nil, "not a line like: weather"},
		{FormatInflux, `w =1`, nil, "not a line like: weather"},
		{FormatInflux, `w t=1,`, []string{"t=1", "w.t=1"}, "not a line like: weather"},
	} {
		found, errs := parseAll(t, c.format, c.text)
		require.Equal(t, c.want, found, c.text)
		if c.err == "" {
			require.Empty(t, errs, c.text)
		} else {
			require.Len(t, errs, 1, c.text)
			require.Contains(t, errs[0], c.err)
		}
	}
}

// A few kilobytes that are nested as deep as the parser lets them must not need the
// memory of a whole board.
func TestDeepJSON(t *testing.T) {
	const depth = 9999
	list := strings.Repeat("[", depth) + "1" + strings.Repeat("]", depth)
	object := strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)
	s := &topic{config: mqttSensor("a", map[string]string{"value": "value"}).WithDefaults()}
	for name, read := range map[string]func(){
		"a message": func() { s.read(arrived{Message: mqtt.Message{Topic: "a", Payload: []byte(list)}}, func(Reading) {}) },
		"a line":    func() { _ = newLineParser(FormatJSON)([]byte(object), func(string, float64) {}) },
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			read()
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20))
		})
	}
}

func FuzzLines(f *testing.F) {
	f.Add(uint8(0), `{"a":{"b":1},"c":"2","d":true}`)
	f.Add(uint8(1), "a,b\n1,\"2\"\n")
	f.Add(uint8(2), `w\ x,t=a f=1i,g="q\"",h=t 12`)
	f.Fuzz(func(t *testing.T, format uint8, text string) {
		parse := newLineParser([]string{FormatJSON, FormatCSV, FormatInflux}[format%3])
		for line := range strings.Lines(text) {
			_ = parse([]byte(line), func(string, float64) {})
		}
	})
}
