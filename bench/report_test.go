package bench

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// example is a report with every kind of line.
func example() *Report {
	return &Report{
		Machine:   Machine{Board: "Raspberry Pi 4 Model B Rev 1.4", CPU: "Cortex-A72", CPUs: 4, Platform: "linux/arm64", Go: "go1.26"},
		KernelSet: "neon", Threads: 1,
		Before:    State{Governors: []string{"ondemand"}, MHz: []int{600, 1800}, MaxMHz: 1800, Celsius: 48.2, Sources: []string{sourceFirmware}},
		After:     State{Governors: []string{"ondemand"}, MHz: []int{1800, 1800}, MaxMHz: 1800, Celsius: 61, Sources: []string{sourceFirmware}},
		Throttled: []string{},
		Peaks:     []Peak{{KernelSet: "neon", GFLOPS: 14.39, MinUs: 109.3, MedianUs: 109.4}, {KernelSet: "generic", GFLOPS: 3.597, MinUs: 437, MedianUs: 440}},
		Loads:     []Load{{"L1", 32 << 10, 16 << 10, 27.4}, {"memory", 0, 16 << 20, 4.056}},
		Kernels: []Figure{
			{Name: "dot 768", MinUs: 0.2416, MedianUs: 0.25, Rounds: 9, MFLOP: 0.001536, GFLOPS: 6.357, PeakShare: 0.4418, GBps: 25.43, LoadShare: 0.928, GoRatio: 4.234},
			{Name: "softmax 1×197", MinUs: 0.9996, MedianUs: 1.2, Rounds: 9, GoRatio: 11.96},
		},
		Models: []Figure{
			{Name: "W1 sensors", MinUs: 12.34, MedianUs: 13, Rounds: 9, MFLOP: 0.023808, GFLOPS: 1.929, PeakShare: 0.134, GoRatio: 3.1, Allocs: 2},
			{Name: "W3 text + image", MinUs: 21345, MedianUs: 22000, Rounds: 2, MFLOP: 154, GFLOPS: 7.215, PeakShare: 0.501, Note: noPlainGo},
			{Name: "W8 12 blocks", MFLOP: 2450, Skipped: "no time for it; a longer --time measures it"},
		},
	}
}

func TestReportGoldens(t *testing.T) {
	hot := example()
	hot.After.Firmware = 0x40004
	hot.Throttled = throttling(hot.Before, hot.After)
	for file, write := range map[string]func(io.Writer) error{
		"report.txt":    example().Text,
		"report.md":     example().Markdown,
		"throttled.txt": hot.Text,
	} {
		var got bytes.Buffer
		require.NoError(t, write(&got))
		want, err := os.ReadFile("testdata/" + file)
		require.NoError(t, err)
		require.Equal(t, string(want), got.String(), file)
	}
}

func TestTablesFitATerminal(t *testing.T) {
	var text bytes.Buffer
	require.NoError(t, example().Text(&text))
	for line := range strings.Lines(text.String()) {
		if !strings.Contains(line, ".\n") && !strings.Contains(line, ";") { // sentences wrap
			require.LessOrEqual(t, utf8.RuneCountInString(line), 101, line)
		}
	}
}

// TestHeadline: a throttled run has none, and says so.
func TestHeadline(t *testing.T) {
	r := example()
	require.Equal(t, "W1 sensors: 12.3 µs an inference, 81 thousand a second on 1 thread, 3.10 times as fast as plain Go.", r.Headline())
	r.Throttled = []string{"undervoltage"}
	require.Contains(t, r.Headline(), "THROTTLED: undervoltage")
	require.NotContains(t, r.Headline(), "12.3")
	r = example()
	r.Models = r.Models[2:]
	require.Equal(t, "The neon kernels can reach 14.4 GFLOP/s on 1 thread.", r.Headline())
}

func TestReportJSON(t *testing.T) {
	text, err := json.Marshal(example())
	require.NoError(t, err)
	var back Report
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&back))
	require.Equal(t, example(), &back)

	empty, err := json.Marshal(Report{Throttled: []string{}, Models: []Figure{{Name: "m"}}})
	require.NoError(t, err)
	for _, key := range []string{`"throttled":[]`, `"allocs":0`, `"min_us":0`, `"kernel_set":""`} {
		require.Contains(t, string(empty), key, "there in any case")
	}
	require.NotContains(t, string(empty), "go_ratio")
}

func TestUnits(t *testing.T) {
	for us, want := range map[float64]string{
		0.0029: "2.90 ns", 0.09994: "99.9 ns", 0.09996: "100 ns", 0.9994: "999 ns", 1.15: "1.15 µs", 34.66: "34.7 µs", 999: "999 µs", 4756: "4.76 ms", 1.22e5: "122 ms",
	} {
		require.Equal(t, want, micro(us))
	}
	for v, want := range map[float64]string{8: "8", 9999: "9999", 868e3: "868 thousand", 1.5e6: "1.50 million"} {
		require.Equal(t, want, count(v))
	}
	require.Equal(t, "24 KiB", size(24<<10))
	require.Equal(t, "64 MiB", size(64<<20))
	require.Equal(t, "1280 KiB", size(1280<<10))
	require.Equal(t, "600–1800", span([]int{1800, 600}))
	require.Equal(t, "600", span([]int{600, 600}))
}
