// Package asm checks what go vet cannot see in assembly: whether a hand-encoded
// NEON instruction is the one its comment names, whether its operands are
// registers, whether a reserved register is touched, and whether AVX code clears
// the upper halves before it returns.
//
// It reads source only, so it runs on any host. Tests use it; programs do not.
package asm

import (
	"fmt"
	"io/fs"
)

// Report says what was checked and what is wrong. A count of 0 means that the
// check found nothing to do.
type Report struct {
	Macros  int // NEON macros that emit a word, decoded for many operands
	Words   int // bare WORD lines, decoded
	Calls   int // uses of those macros, whose operands were checked
	Lines   int // lines searched for reserved registers, with macros expanded
	Returns int // returns of functions that use YMM or ZMM registers

	// Problems begin with file and line.
	Problems []string
}

func (r *Report) problem(s statement, format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf("%s:%d: %s", s.file, s.line, fmt.Sprintf(format, args...)))
}

// Check reads the arm64 and amd64 assembly in the top folder of fsys, with the
// headers it includes from there.
func Check(fsys fs.FS) (Report, error) {
	var r Report
	for _, kind := range []struct {
		pattern string
		check   func(*Report, *source)
	}{
		{"*_arm64.h", checkMacros},
		{"*_arm64.s", checkARM64},
		{"*_amd64.s", checkAMD64},
	} {
		names, err := fs.Glob(fsys, kind.pattern)
		if err != nil {
			return r, fmt.Errorf("list assembly: %w", err)
		}
		for _, name := range names {
			src, err := read(fsys, name)
			if err != nil {
				return r, err
			}
			kind.check(&r, src)
		}
	}
	return r, nil
}

// checkARM64 also holds the scratch registers of the linker (R16, R17) and of the
// assembler (R27) to be reserved, besides those of the platform (R18), the
// goroutine (R28, g) and the frame (R29).
func checkARM64(r *Report, src *source) {
	checkMacros(r, src)
	checkWords(r, src)
	checkCalls(r, src)
	checkReserved(r, src, "R16", "R17", "R18", "R18_PLATFORM", "R27", "R28", "g", "R29")
}

// checkAMD64 reserves the registers of the goroutine (R14) and of dynamic linking
// (R15).
func checkAMD64(r *Report, src *source) {
	checkReserved(r, src, "R14", "R15")
	checkUpperHalves(r, src)
}
