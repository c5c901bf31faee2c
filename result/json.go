package result

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// timeFormat is RFC 3339 with milliseconds, in UTC.
const timeFormat = "2006-01-02T15:04:05.000Z"

// AppendJSON appends the JSON form of r to dst, one line without a line break,
// and allocates nothing when dst has room. Keys stand in a fixed order,
// probabilities and modalities in that of the model. A key without a value is
// left out; label is null when the model has labels and none was decided. A
// number that JSON cannot write, NaN or an infinity, is null. Floats are the
// shortest text that reads back as the same float32.
func (r *Result) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"seq":`...)
	dst = strconv.AppendUint(dst, r.Seq, 10)
	if y := r.Time.UTC().Year(); !r.Time.IsZero() && 0 <= y && y <= 9999 { // others RFC 3339 cannot write
		dst = append(dst, `,"time":"`...)
		dst = r.Time.UTC().AppendFormat(dst, timeFormat)
		dst = append(dst, '"')
	}
	dst = appendText(dst, `,"time_quality":`, r.Quality)
	dst = append(dst, `,"mono_ns":`...)
	dst = strconv.AppendInt(dst, int64(r.Mono), 10)
	dst = appendText(dst, `,"boot_id":`, r.BootID)
	if r.Label == "" && r.Labels != nil {
		dst = append(dst, `,"label":null`...)
	}
	dst = appendText(dst, `,"label":`, r.Label)
	dst = appendText(dst, `,"raw_label":`, r.RawLabel)
	dst = appendText(dst, `,"reason":`, r.Reason)
	dst = r.appendProbabilities(dst)
	if len(r.Values) > 0 {
		dst = append(dst, `,"values":[`...)
		for i, v := range r.Values {
			dst = appendComma(dst, i)
			dst = appendFloat(dst, float64(v), 32)
		}
		dst = append(dst, ']')
	}
	dst = appendText(dst, `,"model":`, r.Model)
	dst = appendText(dst, `,"kernel_set":`, r.KernelSet)
	if len(r.Modalities) > 0 {
		dst = append(dst, `,"modalities":{`...)
		for i := range r.Modalities {
			dst = appendComma(dst, i)
			dst = r.Modalities[i].append(dst)
		}
		dst = append(dst, '}')
	}
	dst = r.appendConflict(dst)
	if len(r.Degraded) > 0 {
		dst = append(dst, `,"degraded":[`...)
		for i, word := range r.Degraded {
			dst = AppendString(appendComma(dst, i), word)
		}
		dst = append(dst, ']')
	}
	if len(r.Readings) > 0 {
		dst = AppendReadings(append(dst, ','), r.Readings)
	}
	return append(dst, '}')
}

// AppendReadings appends the member "readings" of a Result's JSON form.
func AppendReadings(dst []byte, all []Reading) []byte {
	dst = append(dst, `"readings":{`...)
	for i := range all {
		dst = appendComma(dst, i)
		dst = all[i].append(dst)
	}
	return append(dst, '}')
}

// appendConflict lists the modalities without which the label would be another.
func (r *Result) appendConflict(dst []byte) []byte {
	n := 0
	for i := range r.Modalities {
		if !r.Modalities[i].Conflict {
			continue
		}
		if n == 0 {
			dst = append(dst, `,"conflict":[`...)
		}
		dst = AppendString(appendComma(dst, n), r.Modalities[i].Name)
		n++
	}
	if n > 0 {
		dst = append(dst, ']')
	}
	return dst
}

func (r *Result) appendProbabilities(dst []byte) []byte {
	n := min(len(r.Labels), len(r.Probabilities))
	if n == 0 {
		return dst
	}
	dst = append(dst, `,"probabilities":{`...)
	for i, p := range r.Probabilities[:n] {
		dst = appendComma(dst, i)
		dst = AppendString(dst, r.Labels[i])
		dst = append(dst, ':')
		dst = appendFloat(dst, float64(p), 32)
	}
	dst = append(dst, `},"entropy":`...)
	return appendFloat(dst, float64(r.Entropy()), 32)
}

// append writes the modality as a member of the object modalities.
func (m *Modality) append(dst []byte) []byte {
	dst = AppendString(dst, m.Name)
	dst = append(dst, `:{"share":`...)
	dst = appendFloat(dst, float64(m.Share), 32)
	if m.Measured {
		dst = append(dst, `,"effect":`...)
		dst = appendFloat(dst, float64(m.Effect), 32)
	}
	dst = append(dst, `,"present":`...)
	dst = strconv.AppendBool(dst, m.Present)
	dst = append(dst, `,"reason":`...)
	dst = AppendString(dst, m.Reason)
	if m.Age >= 0 {
		dst = append(dst, `,"age_s":`...)
		dst = appendSeconds(dst, m.Age)
	}
	dst = append(dst, `,"rows":`...)
	dst = strconv.AppendInt(dst, int64(m.Rows), 10)
	return append(dst, '}')
}

// append writes the reading as a member of the object readings.
func (r *Reading) append(dst []byte) []byte {
	dst = AppendString(dst, r.Channel)
	dst = append(dst, ":{"...)
	if r.Reason == "" {
		dst = append(dst, `"value":`...)
		dst = appendFloat(dst, r.Value, 64)
	} else {
		dst = append(dst, `"reason":`...)
		dst = AppendString(dst, r.Reason)
	}
	if r.Age >= 0 {
		dst = append(dst, `,"age_s":`...)
		dst = appendSeconds(dst, r.Age)
	}
	return append(dst, '}')
}

// appendText writes a key, with its comma and colon, and its string, or nothing
// when the string is empty.
func appendText(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	return AppendString(append(dst, key...), value)
}

func appendComma(dst []byte, i int) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	return dst
}

// appendSeconds writes a duration exactly, without trailing zeros.
func appendSeconds(dst []byte, d time.Duration) []byte {
	dst = strconv.AppendInt(dst, int64(d/time.Second), 10)
	fraction := int64(d % time.Second)
	if fraction == 0 {
		return dst
	}
	dst = append(dst, '.')
	for unit := int64(time.Second / 10); fraction > 0; unit /= 10 {
		dst = append(dst, byte('0'+fraction/unit))
		fraction %= unit
	}
	return dst
}

// appendFloat writes a float of 32 or 64 bits in the form of encoding/json: plain
// decimals where they are short, an exponent without padding beyond.
func appendFloat(dst []byte, v float64, bits int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	smallest := 1e-6
	if bits == 32 {
		smallest = float64(float32(1e-6))
	}
	if abs := math.Abs(v); abs == 0 || smallest <= abs && abs < 1e21 {
		return strconv.AppendFloat(dst, v, 'f', -1, bits)
	}
	dst = strconv.AppendFloat(dst, v, 'e', -1, bits)
	if n := len(dst); string(dst[n-4:n-1]) == "e-0" { // e-07 becomes e-7
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// AppendFloat appends a number in the form that a Result has.
func AppendFloat(dst []byte, v float32) []byte { return appendFloat(dst, float64(v), 32) }

const hex = "0123456789abcdef"

// appendString writes a JSON string as RFC 8259 wants it: quotes, backslashes
// and control characters escaped, each byte that is not UTF-8 as U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		}
		i++
	}
	return append(dst, '"')
}
