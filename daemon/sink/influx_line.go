package sink

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ragedge/ragedge/daemon/mqtt"
	"github.com/ragedge/ragedge/result"
)

// measurement names the lines of InfluxDB's line protocol.
const measurement = "ragedge"

// modelDigits is how much of a model's digest tells models apart.
const modelDigits = 12

// appendInflux writes r as one line with its line break:
//
//	ragedge,host=HOST,model=DIGITS label="…",probability=0.98,share_NAME=0.6,… TIME
//
// What is not known, and a number that is none, is left out.
func appendInflux(b []byte, board *mqtt.Board, r *result.Result) []byte {
	b = append(b, measurement...)
	b = appendTag(b, "host", board.Name)
	model := strings.TrimPrefix(r.Model, "sha256:")
	b = appendTag(b, "model", model[:min(len(model), modelDigits)])
	b = append(b, " seq="...)
	b = append(strconv.AppendUint(b, r.Seq, 10), 'i')
	if r.Label != "" {
		b = appendFieldText(b, "label", r.Label)
	}
	if r.Reason != "" {
		b = appendFieldText(b, "reason", r.Reason)
	}
	for i, p := range r.Probabilities[:min(len(r.Labels), len(r.Probabilities))] {
		if r.Labels[i] == r.Label {
			b = appendField(b, "probability", "", float64(p), 32)
		}
	}
	for i, v := range r.Values {
		b = appendField(b, "value_", strconv.Itoa(i), float64(v), 32)
	}
	for i := range r.Modalities {
		m := &r.Modalities[i]
		b = appendKey(b, "present_", m.Name)
		b = strconv.AppendBool(b, m.Present)
		b = appendField(b, "share_", m.Name, float64(m.Share), 32)
		if m.Measured {
			b = appendField(b, "effect_", m.Name, float64(m.Effect), 32)
		}
	}
	for i := range r.Readings {
		if c := &r.Readings[i]; c.Reason == "" {
			b = appendField(b, "reading_", c.Channel, c.Value, 64)
		}
	}
	if !r.Time.IsZero() {
		b = strconv.AppendInt(append(b, ' '), r.Time.UnixNano(), 10)
	}
	return append(b, '\n')
}

// appendTag writes a tag, or nothing when it has no value.
func appendTag(b []byte, name, value string) []byte {
	if value = strings.TrimRight(value, `\`); value == "" { // which would hide the comma
		return b
	}
	b = append(append(append(b, ','), name...), '=')
	return appendEscaped(b, value, ", =")
}

func appendField(b []byte, prefix, name string, v float64, bits int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return b
	}
	return strconv.AppendFloat(appendKey(b, prefix, name), v, 'g', -1, bits)
}

func appendFieldText(b []byte, name, value string) []byte {
	b = append(appendKey(b, name, ""), '"')
	return append(appendEscaped(b, value, `"\`), '"')
}

// appendKey writes the key of a field that is not the first.
func appendKey(b []byte, prefix, name string) []byte {
	b = append(append(b, ','), prefix...)
	b = appendEscaped(b, strings.TrimRight(name, `\`), ", =")
	return append(b, '=')
}

// appendEscaped writes text with a backslash before each of special. A line break or
// another control character, which would end the line for some readers, becomes a
// space, and that is escaped where spaces are.
func appendEscaped(b []byte, text, special string) []byte {
	for _, r := range text {
		if unicode.IsControl(r) {
			r = ' '
		}
		if strings.ContainsRune(special, r) {
			b = append(b, '\\')
		}
		b = utf8.AppendRune(b, r)
	}
	return b
}
