package asm

import (
	"regexp"
	"slices"
	"strings"
)

func checkReserved(r *Report, src *source, reserved ...string) {
	for _, s := range src.code() {
		r.Lines++
		for _, word := range identifier.FindAllString(s.text, -1) {
			if slices.Contains(reserved, word) {
				r.problem(s, "%s is reserved: %s", word, s.text)
			}
		}
	}
}

var wide = regexp.MustCompile(`\b[YZ]([12]?\d|3[01])\b`)

// checkUpperHalves wants a VZEROUPPER on every way from a YMM or ZMM register to a
// return. It does not follow jumps: behind a label the upper halves count as used
// when the function uses them anywhere.
func checkUpperHalves(r *Report, src *source) {
	code := src.code()
	uses := map[string]bool{}
	for _, s := range code {
		if wide.MatchString(s.text) {
			uses[s.function] = true
		}
	}
	dirty := false
	for _, s := range code {
		op, operands, _ := strings.Cut(s.text, " ")
		leaves := op == "RET" || op == "JMP" && strings.HasSuffix(operands, "(SB)")
		switch {
		case op == "TEXT", op == "VZEROUPPER":
			dirty = false
		case strings.HasSuffix(op, ":"):
			dirty = uses[s.function]
		case wide.MatchString(s.text):
			dirty = true
		case leaves && uses[s.function]:
			r.Returns++
			if dirty {
				r.problem(s, "%s leaves %s without VZEROUPPER", op, s.function)
			}
		}
	}
}
