package train

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReadTask(t *testing.T) {
	task, err := ReadTask([]byte("[agent]\nmodel = \"x\"\n"))
	require.NoError(t, err)
	require.Equal(t, DefaultTask(), task)

	task, err = ReadTask([]byte("[[sensor]]\nalias = \"x\"\n[train]\nwidths = [8, 16]\nbudget = \"90s\"\nclass_weights = { \"2 people\" = 2.0 }\n"))
	require.NoError(t, err)
	require.Equal(t, []int{8, 16}, task.Widths)
	require.Equal(t, 90*time.Second, task.Budget.Std())
	require.Equal(t, map[string]float64{"2 people": 2}, task.ClassWeights)
	require.Equal(t, DefaultTask().Strategies, task.Strategies)
	require.NoError(t, task.Check())
	task.MakeQuick()
	require.Equal(t, []int{8}, task.Widths)
	require.Equal(t, 1, task.Seeds)
}

func TestReadTaskRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"unknown key":  {"[agent]\nx = 1\n[train]\nepoch = 3\n", "4:1: unknown key train.epoch"},
		"unknown keys": {"[train]\nwidth = 3\ndepth = 2\n", "3:1: unknown key train.depth"},
		"type":         {"[train]\n\nwidths = \"wide\"\n", "3:10: train.widths"},
		"duration":     {"[train]\nbudget = \"soon\"\n", `2:10: train.budget`},
		"short":        {"[train]\nbudget = 10\n", "train.budget"},
		"no TOML":      {"[train\n", "1:"},
		"strategy":     {"[train]\nstrategies = [\"gate\", \"mix\"]\n", "train.strategies"},
		"no strategy":  {"[train]\nstrategies = []\n", "train.strategies"},
		"seeds":        {"[train]\nseeds = 2\n", "train.seeds: want at least 3"},
		"anchor":       {"[train]\nalign = [\"anchor\"]\n", "train.anchor"},
		"validation":   {"[train]\nvalidation = 1.0\n", "train.validation"},
		"name":         {"[train]\nname = \"../x\"\n", "train.name"},
		"select":       {"[train]\nselect = \"f1\"\n", "train.select"},
		"no table":     {"train = 3\n", "1:9: train"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadTask([]byte(tc.text))
			require.ErrorIs(t, err, ErrTask)
			require.ErrorContains(t, err, tc.want)
			require.False(t, strings.Contains(err.Error(), "agent"), "the daemon's keys are its own: %s", err)
		})
	}
}
