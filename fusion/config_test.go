package fusion

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const minimal = `{"name":"n","modalities":[{"name":"a","regions":2,"features":3}],"width":4,"strategy":"gate","align":"identity","head":{"task":"embed"}}`

func TestParseConfigDefaults(t *testing.T) {
	c, err := ParseConfig(minimal)
	require.NoError(t, err)
	require.Equal(t, Config{
		Name: "n", Modalities: []Modality{{"a", 2, 3}}, Width: 4, Projection: "linear", Strategy: "gate", Heads: 1, FFN: 8,
		Activation: "relu", Score: "dot", Align: "identity", Gate: "shared", Gates: 1, Pool: "sum", Head: Head{Task: Embed},
	}, c)

	again, err := ParseConfig(toJSON(c))
	require.NoError(t, err)
	require.Equal(t, c, again, "what is written must be read back")
}

// TestParseConfigRefuses replaces a part of the minimal config. errors.json has
// the kinds of errors; here are the ways around a lenient reader.
func TestParseConfigRefuses(t *testing.T) {
	tests := []struct {
		name, old, new string
		err            error
		word           string
	}{
		{"no text", minimal, "", ErrBadMetadata, "JSON"},
		{"cut short", `}}`, `}`, ErrBadMetadata, "JSON"},
		{"something after", `}}`, `}}{}`, ErrBadMetadata, "JSON"},
		{"comment", `"width"`, `/**/"width"`, ErrBadMetadata, "JSON"},
		{"not UTF-8", `"n"`, "\"\xff\"", ErrBadMetadata, "UTF-8"},
		{"a list", minimal, "[]", ErrBadValue, "object"},
		{"null", minimal, "null", ErrBadValue, "object"},
		{"text", minimal, `"x"`, ErrBadValue, "object"},
		{"key in capitals", `"width"`, `"Width"`, ErrUnknownKey, "Width"},
		{"key twice", `"width":4`, `"width":4,"width":4`, ErrBadValue, "width is there twice"},
		{"key twice by escape", `"width":4`, `"width":4,"\u0077idth":5`, ErrBadValue, "width is there twice"},
		{"key in modality twice", `"regions":2`, `"regions":2,"regions":2`, ErrBadValue, "modalities.0.regions"},
		{"head twice", `"head"`, `"head":{"task":"embed"},"head"`, ErrBadValue, "head is there twice"},
		{"task twice", `"task":"embed"`, `"task":"embed","task":"embed"`, ErrBadValue, "head.task"},
		{"fraction", `"width":4`, `"width":4.0`, ErrBadValue, "width"},
		{"exponent", `"width":4`, `"width":4e0`, ErrBadValue, "width"},
		{"minus zero", `"width":4`, `"width":4,"layers":-0`, ErrBadValue, "layers"},
		{"null integer", `"width":4`, `"width":null`, ErrBadValue, "width"},
		{"beyond the limit", `"width":4`, `"width":1048577`, ErrBadValue, "width"},
		{"beyond int", `"width":4`, `"width":99999999999999999999`, ErrBadValue, "width"},
		{"wraps 32 bits", `"width":4`, `"width":4294967300`, ErrBadValue, "width"},
		{"null text", `"n"`, `null`, ErrBadValue, "name"},
		{"number as text", `"n"`, `7`, ErrBadValue, "name"},
		{"null choice", `"gate"`, `null`, ErrBadValue, "strategy"},
		{"choice in capitals", `"gate"`, `"Gate"`, ErrBadValue, "strategy"},
		{"null flag", `"width":4`, `"width":4,"norm":null`, ErrBadValue, "norm"},
		{"number as flag", `"width":4`, `"width":4,"norm":1`, ErrBadValue, "norm"},
		{"modalities null", `[{"name":"a","regions":2,"features":3}]`, `null`, ErrBadValue, "modalities"},
		{"modalities an object", `[{"name":"a","regions":2,"features":3}]`, `{}`, ErrBadValue, "modalities"},
		{"modality a number", `[{"name":"a","regions":2,"features":3}]`, `[7]`, ErrBadValue, "modalities.0"},
		{"no modality name", `"a"`, `""`, ErrBadValue, "modalities.0.name"},
		{"modality name with a dot", `"a"`, `"a.length"`, ErrBadValue, "modalities.0.name"},
		{"labels null", `"task":"embed"`, `"task":"classify","outputs":1,"labels":null`, ErrBadValue, "head.labels"},
		{"label null", `"task":"embed"`, `"task":"classify","outputs":1,"labels":[null]`, ErrBadValue, "head.labels.0"},
		{"label missing", `"task":"embed"`, `"task":"classify","outputs":2,"labels":["x"]`, ErrBadValue, "head.labels"},
		{"hidden under embed", `"task":"embed"`, `"task":"embed","hidden":1`, ErrBadValue, "head.hidden"},
		{"labels under embed", `"task":"embed"`, `"task":"embed","labels":["x"]`, ErrBadValue, "head.labels"},
		{"layers", `"strategy":"gate"`, `"strategy":"self","layers":257`, ErrBadValue, "layers"},
		{"modalities", `[{`, `[` + strings.Repeat(`{"name":"b","regions":1,"features":1},`, maxModalities) + `{`, ErrBadValue, "modalities"},
		{"too large together", `"width":4,"strategy":"gate","align":"identity"`, `"width":1048576,"slots":1048576,"strategy":"gate","align":"slots"`, ErrBadValue, "MiB"},
		{"too many slots", `"align":"identity"`, `"align":"resample","slots":1048576,"pool":"attention","gates":1048576`, ErrBadValue, "MiB"},
		{"too many regions", `"regions":2`, `"regions":1048576`, nil, ""},
		{"too many regions, wide", `"regions":2,"features":3}],"width":4`, `"regions":1048576,"features":3}],"width":64`, ErrBadValue, "MiB"},
		{"too many outputs", `"task":"embed"`, `"task":"regress","hidden":1048576,"outputs":1048576`, ErrBadValue, "weights together take 4194328 MiB"},
		{"weights at the limit", `"task":"embed"`, `"task":"regress","hidden":8192,"outputs":16300`, nil, ""},
		{"too many weights", `"task":"embed"`, `"task":"regress","hidden":8192,"outputs":16400`, ErrBadValue, "weights together"},
		{"too many weights of blocks", `"width":4,"strategy":"gate"`, `"width":1024,"layers":256,"strategy":"hybrid"`, ErrBadValue, "weights together"},
		{"too wide an inner layer", `"regions":2,"features":3}],"width":4,"strategy":"gate"`, `"regions":100,"features":3}],"width":4,"ffn":1048576,"layers":1,"strategy":"self"`, ErrBadValue, "MiB to compute"},
		{"a workspace beyond 64 bits", `[{"name":"a","regions":2,"features":3}],"width":4,"strategy":"gate"`, absurdBlocks(), ErrBadValue, "MiB to compute"},
		{"a billion slots", `"align":"identity"`, `"align":"slots","slots":1000000000`, ErrBadValue, "slots"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Contains(t, minimal, test.old)
			c, err := ParseConfig(strings.Replace(minimal, test.old, test.new, 1))
			if test.err == nil { // at the limit
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, test.err)
			require.ErrorIs(t, err, ErrModel)
			require.ErrorContains(t, err, test.word)
			require.Less(t, len(err.Error()), 400)
			require.Zero(t, c)
		})
	}
}

// absurdBlocks is part of a config with the largest numbers it may hold.
func absurdBlocks() string {
	var modalities []string
	for i := range maxModalities {
		modalities = append(modalities, fmt.Sprintf(`{"name":"m%d","regions":1048576,"features":1048576}`, i))
	}
	return "[" + strings.Join(modalities, ",") + `],"width":1048576,"ffn":1048576,"layers":256,"strategy":"hybrid"`
}

// TestUnusedKeysHaveNoEffect leaves out or sets keys that a model does not use.
func TestUnusedKeysHaveNoEffect(t *testing.T) {
	for _, add := range []string{`"heads":3`, `"ffn":0`, `"anchor":"a"`, `"slots":7`, `"score":"hadamard"`, `"activation":"gelu"`} {
		_, err := ParseConfig(strings.Replace(minimal, `"width"`, add+`,"width"`, 1))
		require.NoError(t, err, add)
	}
}

// FuzzParseConfig holds that what is accepted is consistent and survives being
// written and read again.
func FuzzParseConfig(f *testing.F) {
	f.Add(minimal)
	for _, c := range everyConfig() {
		f.Add(toJSON(c))
	}
	for _, name := range goldenCases(f) {
		f.Add(readGolden(f, name, "model").Metadata["config"])
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseConfig(text)
		if err != nil {
			require.ErrorIs(t, err, ErrModel)
			require.Zero(t, c)
			return
		}
		again, err := ParseConfig(toJSON(c))
		require.NoError(t, err)
		if len(c.Head.Labels) == 0 {
			c.Head.Labels = nil
		}
		require.Equal(t, c, again)
		require.Positive(t, c.workspace())
		require.LessOrEqual(t, len(c.table()), 20*(len(c.Modalities)+2*c.Layers+4))
	})
}
