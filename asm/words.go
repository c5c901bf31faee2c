package asm

import (
	"encoding/binary"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/arch/arm64/arm64asm"
)

const registers = 32

// decode returns the GNU form of an instruction, in lower case.
func decode(word uint64) (string, error) {
	if word>>32 != 0 {
		return "", fmt.Errorf("%#x has more than 32 bits", word)
	}
	in, err := arm64asm.Decode(binary.LittleEndian.AppendUint32(nil, uint32(word)))
	if err != nil {
		return "", fmt.Errorf("%#08x does not decode: %w", word, err)
	}
	return strings.ToLower(arm64asm.GNUSyntax(in)), nil
}

// checkWords decodes every WORD that stands in the code and compares it with the
// comment on its line.
func checkWords(r *Report, src *source) {
	for _, s := range src.code() {
		operand, ok := strings.CutPrefix(s.text, "WORD ")
		if !ok {
			continue
		}
		r.Words++
		word, err := evaluate(operand, nil)
		if err != nil {
			r.problem(s, "%s: %v", s.text, err)
			continue
		}
		if got, err := decode(word); err != nil {
			r.problem(s, "%s: %v", s.text, err)
		} else if want := strings.ToLower(s.comment); got != want {
			r.problem(s, "%s is %q, its comment says %q", s.text, got, want)
		}
	}
}

// checkMacros decodes every macro that emits a word and compares it with the line
// above, in which Vd or Sd stands for the register of parameter d. With up to two
// operands it tries all registers, with three every 31st triple, which gives each
// operand every register.
func checkMacros(r *Report, src *source) {
	for _, m := range src.own {
		if m.emitsWord() {
			r.Macros++
			checkMacro(r, m)
		}
	}
}

func checkMacro(r *Report, m macro) {
	combinations, step := 1, 1
	for range m.params {
		combinations *= registers
	}
	if len(m.params) > 2 {
		step = registers - 1
	}
	operand := strings.TrimSpace(strings.TrimPrefix(m.body, "WORD"))
	for k := 0; k < combinations; k += step {
		values := map[string]uint64{}
		for i, p := range m.params {
			values[p] = uint64(k >> (5 * i) % registers)
		}
		word, err := evaluate(operand, values)
		if err != nil {
			r.problem(m.at, "%s: %v", m.name, err)
			return
		}
		got, err := decode(word)
		if err != nil {
			r.problem(m.at, "%s: %v", m.name, err)
			return
		}
		if want := claim(m.at.comment, values); got != want {
			r.problem(m.at, "%s is %q, the line above says %q", m.name, got, want)
			return
		}
	}
}

var named = regexp.MustCompile(`\b([VSDQ])([a-z])\b`)

// claim is the instruction that a comment names, with numbers for parameters.
func claim(comment string, values map[string]uint64) string {
	return strings.ToLower(named.ReplaceAllStringFunc(comment, func(name string) string {
		if v, ok := values[name[1:]]; ok {
			return name[:1] + strconv.FormatUint(v, 10)
		}
		return name
	}))
}

// checkCalls wants a register number for every operand of a macro that emits a
// word. The assembler itself takes any number, and ors it into the word.
func checkCalls(r *Report, src *source) {
	for _, s := range src.code() {
		name := identifier.FindString(s.text)
		m, ok := src.macros[name]
		if !ok || !m.emitsWord() {
			continue
		}
		r.Calls++
		var args []string
		if m.call {
			args, _ = arguments(strings.TrimPrefix(s.text, name))
		}
		if len(args) != len(m.params) {
			r.problem(s, "%s: %d operands, want %d", s.text, len(args), len(m.params))
		}
		for _, arg := range args {
			if n, err := strconv.ParseUint(arg, 10, 64); err != nil || n >= registers {
				r.problem(s, "%s: operand %s is not a register number", s.text, arg)
			}
		}
	}
}

// evaluate computes the immediate operand of a WORD, "$" and an expression of
// numbers and the named values.
func evaluate(operand string, values map[string]uint64) (uint64, error) {
	text, ok := strings.CutPrefix(operand, "$")
	if !ok {
		return 0, fmt.Errorf("%q is not an immediate", operand)
	}
	e, err := parser.ParseExpr(text)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", operand, err)
	}
	return value(e, values)
}

func value(e ast.Expr, values map[string]uint64) (uint64, error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strconv.ParseUint(e.Value, 0, 64)
	case *ast.ParenExpr:
		return value(e.X, values)
	case *ast.Ident:
		if v, ok := values[e.Name]; ok {
			return v, nil
		}
		return 0, fmt.Errorf("%s is not a parameter", e.Name)
	case *ast.BinaryExpr:
		x, err := value(e.X, values)
		if err != nil {
			return 0, err
		}
		y, err := value(e.Y, values)
		if err != nil {
			return 0, err
		}
		switch e.Op {
		case token.OR:
			return x | y, nil
		case token.ADD:
			return x + y, nil
		case token.SHL:
			return x << y, nil
		}
	}
	return 0, fmt.Errorf("an expression of |, + and << is wanted")
}
