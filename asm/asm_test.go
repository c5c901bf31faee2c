package asm

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

const header = `
// fadd Vd.4s, Vn.4s, Vm.4s
#define VFADD(m, n, d) WORD $(0x4e20d400 | (m)<<16 | (n)<<5 | (d))

// faddp Sd, Vn.2s
#define VFADDPS(n, d) WORD $(0x7e30d800 | (n)<<5 | (d))
`

const neon = `
#include "textflag.h"
#include "neon_arm64.h"

#define count R2
#define STEP(x, y) \
	VFADD(x, 1, y) \
	SUBS $1, count, count

// func sum(x []float32) float32
TEXT ·sum(SB), NOSPLIT, $0-28
	MOVD x+0(FP), R0 // R18 in a comment is no use of it
	WORD $0x4e31d610 // fadd v16.4s, v16.4s, v17.4s
loop:
	STEP(2, 31)
	BNE loop
	VFADDPS(31, 0)
	RET
`

const avx = `
TEXT ·none(SB), NOSPLIT, $0-0
	VXORPS X0, X0, X0
	RET

TEXT ·sum(SB), NOSPLIT, $0-28
	MOVQ n+0(FP), R8
	TESTQ R8, R8
	JEQ done
	VXORPS Y0, Y0, Y0
done:
	VZEROUPPER
	MOVSS X0, ret+24(FP)
	RET
`

func check(t *testing.T, header, neon, avx string) Report {
	r, err := Check(fstest.MapFS{
		"neon_arm64.h": {Data: []byte(header)},
		"sum_arm64.s":  {Data: []byte(neon)},
		"sum_amd64.s":  {Data: []byte(avx)},
		"other.s":      {Data: []byte("TEXT ·other(SB), NOSPLIT, $0-0\n\tMOVD R18, R14\n")},
	})
	require.NoError(t, err)
	return r
}

func TestCheck(t *testing.T) {
	require.Equal(t, Report{Macros: 2, Words: 1, Calls: 2, Lines: 21, Returns: 1}, check(t, header, neon, avx))
}

// TestFaults plants one fault at a time, by replacing a piece of a correct file.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"another instruction":  {"0x4e20d400", "0x4ea0d400", `neon_arm64.h:3: VFADD is "fsub v0.4s, v0.4s, v0.4s", the line above says "fadd v0.4s, v0.4s, v0.4s"`},
		"swapped operands":     {"(m)<<16 | (n)<<5", "(n)<<16 | (m)<<5", `neon_arm64.h:3: VFADD is "fadd v0.4s, v31.4s, v0.4s", the line above says "fadd v0.4s, v0.4s, v31.4s"`},
		"operand left out":     {"(n)<<5 | (d))\n\n", "(n)<<5)\n\n", "neon_arm64.h:3: VFADD is"},
		"wrong shift":          {"0x7e30d800 | (n)<<5", "0x7e30d800 | (n)<<6", "neon_arm64.h:6: VFADDPS"},
		"no comment":           {"// faddp Sd, Vn.2s\n", "\n", `neon_arm64.h:6: VFADDPS is "faddp s0, v0.2s", the line above says ""`},
		"comment further up":   {"// faddp Sd, Vn.2s\n", "// faddp Sd, Vn.2s\n\n", `neon_arm64.h:7: VFADDPS is`},
		"undecodable macro":    {"0x7e30d800", "0x4e809400", "neon_arm64.h:6: VFADDPS: 0x4e809400 does not decode"},
		"unknown name":         {"(m)<<16", "(k)<<16", "neon_arm64.h:3: VFADD: k is not a parameter"},
		"unknown operator":     {"(m)<<16", "(m)>>16", "neon_arm64.h:3: VFADD: an expression of"},
		"too many bits":        {"(m)<<16", "(m)<<31", "neon_arm64.h:3: VFADD"},
		"word and comment":     {"0x4e31d610", "0x4e31d611", `sum_arm64.s:13: WORD $0x4e31d611 is "fadd v17.4s, v16.4s, v17.4s", its comment says "fadd v16.4s, v16.4s, v17.4s"`},
		"word without comment": {"WORD $0x4e31d610 //", "WORD $0x4e31d610\n//", `its comment says ""`},
		"undecodable word":     {"$0x4e31d610", "$0x4e809400", "sum_arm64.s:13: WORD $0x4e809400: 0x4e809400 does not decode"},
		"operand of 32":        {"VFADDPS(31, 0)", "VFADDPS(32, 0)", "sum_arm64.s:17: VFADDPS(32, 0): operand 32 is not a register number"},
		"operand in a macro":   {"STEP(2, 31)", "STEP(2, 33)", "sum_arm64.s:15: VFADD(2, 1, 33): operand 33 is not a register number"},
		"register name":        {"VFADDPS(31, 0)", "VFADDPS(V31, 0)", "operand V31 is not a register number"},
		"missing operand":      {"VFADDPS(31, 0)", "VFADDPS(31)", "sum_arm64.s:17: VFADDPS(31): 1 operands, want 2"},
		"platform register":    {"x+0(FP), R0", "x+0(FP), R18", "sum_arm64.s:12: R18 is reserved: MOVD x+0(FP), R18"},
		"register by name":     {"count R2", "count R27", "sum_arm64.s:15: R27 is reserved: SUBS $1, R27, R27"},
		"goroutine":            {"x+0(FP), R0", "g, R0", "sum_arm64.s:12: g is reserved"},
		"frame pointer":        {"BNE loop", "MOVD R29, R1; BNE loop", "sum_arm64.s:16: R29 is reserved: MOVD R29, R1"},
		"goroutine on amd64":   {"n+0(FP), R8", "n+0(FP), R14", "sum_amd64.s:7: R14 is reserved"},
		"no VZEROUPPER":        {"\tVZEROUPPER\n", "", "sum_amd64.s:13: RET leaves ·sum without VZEROUPPER"},
		"VZEROUPPER too early": {"MOVSS X0", "VMOVUPS Y0", "sum_amd64.s:14: RET leaves ·sum without VZEROUPPER"},
		"second return":        {"JEQ done\n", "JEQ done\nearly: RET\n", "sum_amd64.s:10: RET leaves ·sum without VZEROUPPER"},
		"tail call":            {"JEQ done\n\tVXORPS Y0, Y0, Y0\n", "VXORPS Y0, Y0, Y0\n\tJMP ·none(SB)\n", "JMP leaves ·sum without VZEROUPPER"},
	} {
		t.Run(name, func(t *testing.T) {
			plant := func(text string) string { return strings.Replace(text, c.old, c.new, 1) }
			h, n, a := plant(header), plant(neon), plant(avx)
			require.NotEqual(t, header+neon+avx, h+n+a, "nothing planted")
			r := check(t, h, n, a)
			require.NotEmpty(t, r.Problems)
			require.Contains(t, r.Problems[0], c.want)
		})
	}
}

func TestNothing(t *testing.T) {
	r, err := Check(fstest.MapFS{})
	require.NoError(t, err)
	require.Zero(t, r)
}
