package sensor

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseElement(t *testing.T) {
	for _, c := range []struct {
		text string
		scan []byte
		want int64
	}{
		{"le:s12/16>>4", []byte{0xf0, 0xff}, -1},
		{"le:s12/16>>4", []byte{0x4f, 0x12}, 0x124},
		{"be:s16/16>>0", []byte{0x80, 0x00}, -32768},
		{"be:u16/16", []byte{0x80, 0x00}, 32768},
		{"le:u8/8>>0", []byte{200}, 200},
		{"be:s24/32>>8", []byte{0xff, 0xff, 0xfe, 0x77}, -2},
		{"le:u24/32", []byte{1, 2, 3, 0xff}, 0x030201},
		{"le:s64/64>>0", []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, -2},
		{"le:s32/32X4>>0", []byte{5, 0, 0, 0}, 5},
	} {
		e, err := parseElement(c.text)
		require.NoError(t, err, c.text)
		require.Len(t, c.scan, e.size)
		require.Equal(t, c.want, e.raw(c.scan), c.text)
	}
	e, err := parseElement("be:s32/32X4>>0")
	require.NoError(t, err)
	require.Equal(t, 4, e.repeat)
	for _, text := range []string{"", "le:", "le:s12", "xe:s12/16", "le:x12/16", "le:s12/16>>5", "le:s0/16", "le:s17/16", "le:s12/12", "le:s12/16>>", "le:s12/16X0", "le:s12/16X99", "le:s12/16>>4 ", "le:s+2/16", "le:s12/16>>-1"} {
		_, err := parseElement(text)
		require.ErrorContains(t, err, "is no type such as le:s12/16>>4", text)
	}
}

// Every element is at a multiple of its length: the padding of iio_compute_scan_bytes.
func TestLayout(t *testing.T) {
	for _, c := range []struct {
		types  []string // in the order of their index
		begins []int
		length int
	}{
		{[]string{"le:s16/16", "le:s16/16", "le:s16/16", "le:s64/64"}, []int{0, 2, 4, 8}, 16},
		{[]string{"le:s16/16", "le:s32/32", "le:u8/8"}, []int{0, 4, 8}, 12},
		{[]string{"le:u8/8", "le:s32/32X4", "le:s64/64"}, []int{0, 16, 32}, 48},
		{[]string{"le:u8/8"}, []int{0}, 1},
		{nil, nil, 0},
	} {
		var all []*element
		for i, text := range c.types {
			e, err := parseElement(text)
			require.NoError(t, err)
			e.index = i
			all = append([]*element{&e}, all...)
		}
		require.Equal(t, c.length, layout(all), c.types)
		var begins []int
		for _, e := range all {
			begins = append(begins, e.begin)
		}
		require.Equal(t, c.begins, begins)
	}
}

func FuzzParseElement(f *testing.F) {
	f.Add("le:s12/16>>4")
	f.Add("be:u64/64X16>>0")
	f.Fuzz(func(t *testing.T, text string) {
		if e, err := parseElement(text); err == nil {
			length := layout([]*element{&e})
			e.raw(make([]byte, length))
		}
	})
}
