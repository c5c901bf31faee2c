package safetensors

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pack joins a header and data to a file.
func pack(header, data string) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

// claim is a file that says its header has n bytes.
func claim(n uint64, rest string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, n), rest...)
}

// one is a file with one tensor described by fields and size bytes of data.
func one(fields string, size int) []byte {
	return pack(`{"w":{`+fields+`}}`, strings.Repeat("\x01", size))
}

const good = `{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`

// refused lists what must be refused and a word its message must hold, by class
// of attack.
var refused = []struct {
	class string
	word  string
	files [][]byte
}{
	{"empty", "0 bytes", [][]byte{nil}},
	{"shorter than its length", "too short", [][]byte{{1}, {2, 0}, {2, 0, 0, 0, 0, 0, 0}}},
	{"no header", "byte 0", [][]byte{claim(0, ""), claim(0, "{}"), claim(1, "{"), claim(1, "{}")}},
	{"header longer than the file", "byte 0", [][]byte{claim(3, "{}"), claim(1000, "{}"), claim(10, "{}")}},
	{"header length that wraps", "byte 0", [][]byte{
		claim(1<<63, "{}"), claim(1<<64-1, "{}"), claim(1<<64-8, "{}"), claim(1<<32+2, "{}"), claim(1<<64-6, "{}"),
	}},
	{"header above the limit", "1048576", [][]byte{
		pack("{}"+strings.Repeat(" ", MaxHeader-1), ""), claim(MaxHeader+1, strings.Repeat(" ", MaxHeader+1)),
	}},
	{"something before the header", "begin with", [][]byte{
		pack(" {}", ""), pack("\n{}", ""), pack("\xef\xbb\xbf{}", ""), pack("[]", ""), pack(`"{"`, ""), pack("null", ""),
	}},
	{"something after the header", "follows", [][]byte{
		pack("{}x", ""), pack("{}{}", ""), pack("{},", ""), pack("{}\x00", ""), pack("{}\n", ""), pack("{} \x00 ", ""), pack(good+"]", "12345678"),
	}},
	{"invalid UTF-8", "UTF-8", [][]byte{
		pack("{\"\xff\":1}", ""), pack("{\"\xc0\xaf\":1}", ""), pack("{\"\xed\xa0\x80\":1}", ""), pack("{\"a\":\"\xf8\"}", ""), pack("{\"\xf4\x90\x80\x80\"}", ""),
	}},
	{"half a surrogate by escape", "surrogate", [][]byte{
		pack(`{"\ud800":1}`, ""), pack(`{"\udc00":1}`, ""), pack(`{"\ud800\ud800":1}`, ""), pack(`{"\ud800x":1}`, ""), pack(`{"\ud800\n":1}`, ""),
	}},
	{"broken strings", "byte", [][]byte{
		pack(`{"`, ""), pack(`{"a\`, ""), pack(`{"a\u00`, ""), pack(`{"a\u00g0":1}`, ""), pack(`{"a\x41":1}`, ""), pack("{\"a\nb\":1}", ""), pack("{\"a\x00\":1}", ""),
	}},
	{"deep nesting", "byte", [][]byte{
		pack(strings.Repeat(`{"a":`, 10000), ""), pack("{"+strings.Repeat("[", 10000), ""), pack(`{"w":{"shape":`+strings.Repeat("[", 10000), ""),
	}},
	{"too many tensors", "more than 4096", [][]byte{pack(many(MaxTensors+1), ""), pack(many(20000)[:MaxHeader-1], "")}},
	{"too many metadata keys", "more than 4096", [][]byte{pack(`{"__metadata__":{`+metadata(MaxTensors)+`"":""}}`, "")}},
	{"name", "byte", [][]byte{
		pack(`{"":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, ""),
		pack(`{"`+strings.Repeat("x", MaxName+1)+`":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, ""),
		pack(`{"`+strings.Repeat("x", 64<<10)+`":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, ""),
	}},
	{"name twice", "twice", [][]byte{
		pack(`{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, ""),
		pack(`{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "1234"),
		pack(`{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0077":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, ""),
		pack(`{"😀":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\ud83d\uDE00":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, ""),
		pack(`{"__metadata__":{"a":"1","\u0061":"2"}}`, ""),
		pack(`{"__metadata__":{},"__metadata__":{}}`, ""),
		pack(`{"__metadata__":{},"\u005f_metadata__":{}}`, ""),
	}},
	{"field twice", "twice", [][]byte{
		one(`"dtype":"F32","dtype":"U8","shape":[1],"data_offsets":[0,4]`, 4),
		one(`"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]`, 4),
		one(`"dtype":"F32","shape":[1],"data_offsets":[0,4],"data_offsets":[0,4]`, 4),
		one(`"dtype":"F32","shape":[1],"data_offsets":[0,4],"\u0064type":"F32"`, 4),
	}},
	{"field of another case", "unknown field", [][]byte{
		one(`"DTYPE":"F32","shape":[1],"data_offsets":[0,4]`, 4), one(`"dtype":"F32","Shape":[1],"data_offsets":[0,4]`, 4),
		one(`"dtype":"F32","shape":[1],"dataOffsets":[0,4]`, 4), one(`"dtype ":"F32","shape":[1],"data_offsets":[0,4]`, 4), one(`"ﬀ":1`, 4),
	}},
	{"unknown field", "unknown field", [][]byte{
		one(`"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1`, 4), one(`"":1,"dtype":"F32","shape":[1],"data_offsets":[0,4]`, 4),
		one(`"dtype":"F32","shape":[1],"data_offsets":[0,4],"order":"C"`, 4), pack(`{"w":{"w":{}}}`, ""), one(`"__metadata__":{}`, 0),
	}},
	{"missing field", "needs dtype", [][]byte{
		one(``, 0), one(`"shape":[1],"data_offsets":[0,4]`, 4), one(`"dtype":"F32","data_offsets":[0,4]`, 4), one(`"dtype":"F32","shape":[1]`, 4), one(`"dtype":"F32"`, 0),
	}},
	{"metadata that is no text", "byte", [][]byte{
		pack(`{"__metadata__":{"a":1}}`, ""), pack(`{"__metadata__":{"a":null}}`, ""), pack(`{"__metadata__":{"a":{}}}`, ""), pack(`{"__metadata__":[]}`, ""),
		pack(`{"__metadata__":"a"}`, ""), pack(`{"__metadata__":null}`, ""), pack(`{"__metadata__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "1234"),
	}},
	{"not JSON", "byte", [][]byte{
		pack(`{"w":NaN}`, ""), pack(`{"w":{"dtype":"F32","shape":[Infinity],"data_offsets":[0,4]}}`, "1234"), pack(`{'w':{}}`, ""), pack(`{w:{}}`, ""),
		pack(`{"__metadata__":{},}`, ""), one(`"dtype":"F32","shape":[1,],"data_offsets":[0,4]`, 4), one(`"dtype":"F32","shape":[1],"data_offsets":[0,4],`, 4),
		pack(`{/**/}`, ""), pack(`{"w"}`, ""), pack(`{"w":}`, ""), pack(`{"__metadata__":{} "w":{}}`, ""), pack(`{,}`, ""), pack(`{"w":[]}`, ""),
	}},
	{"number with a sign", "integer", [][]byte{
		one(`"dtype":"F32","shape":[-1],"data_offsets":[0,4]`, 4), one(`"dtype":"F32","shape":[+1],"data_offsets":[0,4]`, 4),
		one(`"dtype":"F32","shape":[1],"data_offsets":[-4,0]`, 4), one(`"dtype":"F32","shape":[-0],"data_offsets":[0,0]`, 0), one(`"dtype":"F32","shape":[1],"data_offsets":[-0,4]`, 4),
	}},
	{"number with a fraction or exponent", "want ','", [][]byte{
		one(`"dtype":"F32","shape":[1.0],"data_offsets":[0,4]`, 4), one(`"dtype":"F32","shape":[1e0],"data_offsets":[0,4]`, 4), one(`"dtype":"F32","shape":[1],"data_offsets":[0,4E0]`, 4),
		one(`"dtype":"F32","shape":[1],"data_offsets":[0.0,4]`, 4), one(`"dtype":"F32","shape":[0x1],"data_offsets":[0,4]`, 4),
	}},
	{"number with leading zeros", "leading zero", [][]byte{
		one(`"dtype":"F32","shape":[01],"data_offsets":[0,4]`, 4), one(`"dtype":"F32","shape":[1],"data_offsets":[00,4]`, 4), one(`"dtype":"F32","shape":[1],"data_offsets":[0,04]`, 4),
		one(`"dtype":"F32","shape":[00],"data_offsets":[0,0]`, 0), one(`"dtype":"F32","shape":[],"data_offsets":[0,0000000000000000000000000000000000000004]`, 4),
	}},
	{"number above every file", "number above", [][]byte{
		one(`"dtype":"U8","shape":[268435457],"data_offsets":[0,1]`, 1), one(`"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,1]`, 1),
		one(`"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]`, 1), one(`"dtype":"U8","shape":[18446744073709551617],"data_offsets":[0,1]`, 1),
		one(`"dtype":"U8","shape":[0,9223372036854775808],"data_offsets":[0,0]`, 0), one(`"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551617]`, 1),
		one(`"dtype":"U8","shape":[4194305,4194305,211106198978564],"data_offsets":[0,4]`, 4), one(`"dtype":"U8","shape":[`+strings.Repeat("9", 10000)+`],"data_offsets":[0,1]`, 1),
	}},
	{"number of another type", "byte", [][]byte{
		one(`"dtype":"F32","shape":["1"],"data_offsets":[0,4]`, 4), one(`"dtype":"F32","shape":[1],"data_offsets":["0","4"]`, 4), one(`"dtype":"F32","shape":[true],"data_offsets":[0,4]`, 4),
		one(`"dtype":"F32","shape":1,"data_offsets":[0,4]`, 4), one(`"dtype":"F32","shape":null,"data_offsets":[0,4]`, 4), one(`"dtype":"F32","shape":[[1]],"data_offsets":[0,4]`, 4), one(`"dtype":1,"shape":[1],"data_offsets":[0,4]`, 4),
	}},
	{"number of offsets", "two offsets", [][]byte{
		one(`"dtype":"F32","shape":[1],"data_offsets":[]`, 4), one(`"dtype":"F32","shape":[1],"data_offsets":[0]`, 4), one(`"dtype":"F32","shape":[1],"data_offsets":[0,4,4]`, 4),
		one(`"dtype":"F32","shape":[0],"data_offsets":[0]`, 0), one(`"dtype":"F32","shape":[1],"data_offsets":[0,4,8,12]`, 4),
	}},
	{"end before begin", `tensor "w"`, [][]byte{
		one(`"dtype":"F32","shape":[1],"data_offsets":[4,0]`, 4), one(`"dtype":"F32","shape":[0],"data_offsets":[4,0]`, 4), one(`"dtype":"U8","shape":[1],"data_offsets":[1,0]`, 1),
		one(`"dtype":"U8","shape":[0],"data_offsets":[1,0]`, 1), one(`"dtype":"F32","shape":[1],"data_offsets":[268435456,0]`, 4),
	}},
	{"overlap", "want", [][]byte{
		two("0,8", "0,8", 8), two("0,8", "4,12", 12), two("0,8", "7,15", 15), two("4,12", "0,8", 12), two("0,8", "0,8", 16),
	}},
	{"hole", "want", [][]byte{
		one(`"dtype":"F32","shape":[2],"data_offsets":[8,16]`, 16), one(`"dtype":"F32","shape":[2],"data_offsets":[1,9]`, 9),
		two("0,8", "9,17", 17), two("0,8", "16,24", 24), two("16,24", "0,8", 24),
	}},
	{"bytes that no tensor has", "bytes of data", [][]byte{
		pack(good, "123456789"), pack(good, "12345678PK\x03\x04"), pack(good, "12345678\x80\x02."), pack("{}", "\x7fELF"), pack(good, strings.Repeat("x", 4096)),
	}},
	{"data too short", "bytes of data", [][]byte{
		pack(good, ""), pack(good, "1234567"), two("0,8", "8,16", 15), two("0,8", "8,16", 8), one(`"dtype":"U8","shape":[100000000],"data_offsets":[0,100000000]`, 5),
	}},
	{"empty tensor inside another or beyond the end", "want", [][]byte{
		pack(`{"e":{"dtype":"F32","shape":[0],"data_offsets":[4,4]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "12345678"),
		pack(`{"e":{"dtype":"F32","shape":[0],"data_offsets":[9,9]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "12345678"),
		pack(`{"e":{"dtype":"F32","shape":[0],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "12345678"),
		one(`"dtype":"F32","shape":[0],"data_offsets":[1,1]`, 0), one(`"dtype":"F32","shape":[0,3],"data_offsets":[0,12]`, 12),
	}},
	{"shape beyond every file", "too large", [][]byte{
		one(`"dtype":"U8","shape":[65536,65536],"data_offsets":[0,0]`, 0), one(`"dtype":"U8","shape":[268435456,268435456,268435456,268435456],"data_offsets":[0,0]`, 0),
		one(`"dtype":"F32","shape":[268435456],"data_offsets":[0,0]`, 0), one(`"dtype":"F64","shape":[65536,4096],"data_offsets":[0,0]`, 0),
		one(`"dtype":"F32","shape":[0,65536,65536],"data_offsets":[0,0]`, 0), one(`"dtype":"F32","shape":[65536,65536,0],"data_offsets":[0,0]`, 0),
		one(`"dtype":"U8","shape":[65536,65536,65536,65536],"data_offsets":[0,0]`, 0), one(`"dtype":"U8","shape":[4194305,4194305,4,4],"data_offsets":[0,4]`, 4),
	}},
	{"rank", "dimensions", [][]byte{
		one(`"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]`, 1), one(`"dtype":"U8","shape":[0,0,0,0,0,0,0,0,0],"data_offsets":[0,0]`, 0),
		one(`"dtype":"U8","shape":[1`+strings.Repeat(",1", 100000)+`],"data_offsets":[0,1]`, 1),
	}},
	{"shape and offsets disagree", "want", [][]byte{
		one(`"dtype":"F32","shape":[2],"data_offsets":[0,4]`, 4), one(`"dtype":"F32","shape":[1],"data_offsets":[0,8]`, 8), one(`"dtype":"F32","shape":[],"data_offsets":[0,0]`, 0),
		one(`"dtype":"F16","shape":[3],"data_offsets":[0,5]`, 5), one(`"dtype":"F64","shape":[1],"data_offsets":[0,4]`, 4),
	}},
	{"unknown type", "unknown type", [][]byte{
		one(`"dtype":"F128","shape":[1],"data_offsets":[0,16]`, 16), one(`"dtype":"","shape":[1],"data_offsets":[0,1]`, 1), one(`"dtype":"f32","shape":[1],"data_offsets":[0,4]`, 4),
		one(`"dtype":"F32 ","shape":[1],"data_offsets":[0,4]`, 4), one(`"dtype":"F4","shape":[3],"data_offsets":[0,2]`, 2), one(`"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]`, 3),
		one(`"dtype":"`+strings.Repeat("F", 100000)+`","shape":[1],"data_offsets":[0,4]`, 4),
	}},
}

// two is a file with two tensors of eight bytes at the given offsets.
func two(a, b string, size int) []byte {
	return pack(fmt.Sprintf(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[%s]},"b":{"dtype":"F32","shape":[2],"data_offsets":[%s]}}`, a, b),
		strings.Repeat("\x01", size))
}

// many is a header of n empty tensors.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"t%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, i)
	}
	return "{" + b.String()[1:] + "}"
}

func TestParseRefuses(t *testing.T) {
	for _, c := range refused {
		t.Run(c.class, func(t *testing.T) {
			for i, data := range c.files {
				f, err := Parse(data)
				require.ErrorIs(t, err, ErrFormat, "file %d", i)
				require.ErrorContains(t, err, c.word, "file %d", i)
				require.Less(t, len(err.Error()), 2*MaxName, "file %d", i)
				require.Nil(t, f)
			}
		})
	}
}

func TestParseAccepts(t *testing.T) {
	const text = "12345678"
	tests := []struct {
		name string
		data []byte
		want *File
	}{
		{"nothing", pack("{}", ""), &File{Tensors: []Tensor{}}},
		{"padding", pack("{}      ", ""), &File{Tensors: []Tensor{}}},
		{"white space inside", pack("{ \"__metadata__\"\n:\t{ } }", ""), &File{Tensors: []Tensor{}, Metadata: map[string]string{}}},
		{"one tensor", pack(good, text), &File{Tensors: []Tensor{{"w", F32, []int{2}, []byte(text)}}}},
		{"fields in any order", pack(`{"w":{"data_offsets":[0,8],"shape":[2],"dtype":"F32"}}`, text), &File{Tensors: []Tensor{{"w", F32, []int{2}, []byte(text)}}}},
		{"no dimensions", one(`"dtype":"U8","shape":[],"data_offsets":[0,1]`, 1), &File{Tensors: []Tensor{{"w", U8, []int{}, []byte{1}}}}},
		{"eight dimensions", one(`"dtype":"U8","shape":[1,1,1,1,1,1,1,2],"data_offsets":[0,2]`, 2), &File{Tensors: []Tensor{{"w", U8, []int{1, 1, 1, 1, 1, 1, 1, 2}, []byte{1, 1}}}}},
		{"header order is not data order", pack(`{"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]},"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}`, text),
			&File{Tensors: []Tensor{{"a", U8, []int{3}, []byte("123")}, {"b", U8, []int{5}, []byte("45678")}}}},
		{"empty tensors between", pack(`{"a":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"c":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}`, text),
			&File{Tensors: []Tensor{{"a", F32, []int{0, 3}, []byte{}}, {"b", U8, []int{8}, []byte(text)}, {"c", F32, []int{0}, []byte{}}}}},
		{"escapes", pack(`{"__metadata__":{"\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00":"\u0000"},"\u0077":{"dtype":"\u00468_E4M3","shape":[8],"data_offsets":[0,8]}}`, text),
			&File{Tensors: []Tensor{{"w", F8_E4M3, []int{8}, []byte(text)}}, Metadata: map[string]string{"\"\\/\b\f\n\r\té😀": "\x00"}}},
		{"a long name", pack(`{"`+strings.Repeat("x", MaxName)+`":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`, text),
			&File{Tensors: []Tensor{{strings.Repeat("x", MaxName), U8, []int{8}, []byte(text)}}}},
		{"a name that a path would mind", pack(`{"../\u0000":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`, text), &File{Tensors: []Tensor{{"../\x00", U8, []int{8}, []byte(text)}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := Parse(test.data)
			require.NoError(t, err)
			require.Equal(t, test.want, f)
			for _, tensor := range f.Tensors {
				require.Equal(t, len(tensor.Data), cap(tensor.Data), "appending to one tensor must not reach the next")
			}
		})
	}
	f, err := Parse(pack(many(MaxTensors), ""))
	require.NoError(t, err)
	require.Len(t, f.Tensors, MaxTensors)
	require.Equal(t, "t17", f.Tensor("t17").Name)
	require.Nil(t, f.Tensor("t"))
}

// TestParseEveryTruncation cuts a file at every byte, and every string of the
// header short by one.
func TestParseEveryTruncation(t *testing.T) {
	whole, err := sample().Bytes()
	require.NoError(t, err)
	for n := range whole {
		_, err := Parse(whole[:n])
		require.ErrorIs(t, err, ErrFormat, "%d bytes", n)
	}
	header := string(whole[8 : 8+binary.LittleEndian.Uint64(whole)])
	for n := range strings.TrimRight(header, " ") {
		_, err := Parse(pack(header[:n], string(whole[8+len(header):])))
		require.ErrorIs(t, err, ErrFormat, "header of %d bytes", n)
	}
}

// TestParseAllocates holds down the memory of hostile headers: it is in
// proportion to the header, whatever that claims.
func TestParseAllocates(t *testing.T) {
	for name, data := range map[string][]byte{
		"tensors":  pack(many(20000)[:MaxHeader], ""),
		"string":   pack(`{"`+strings.Repeat("x", MaxHeader-2), ""),
		"escapes":  pack(`{"`+strings.Repeat(`\n`, MaxHeader/2-1), ""),
		"metadata": pack(`{"__metadata__":{`+metadata(100000)[:MaxHeader-100], ""),
		"shape":    one(`"dtype":"U8","shape":[268435456],"data_offsets":[0,268435456]`, 0),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Parse(data)
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, ErrFormat)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16*MaxHeader))
		})
	}
}

// metadata is the inside of an object of n short keys.
func metadata(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%d":"",`, i)
	}
	return b.String()
}
