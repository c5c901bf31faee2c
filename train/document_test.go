package train

import (
	"os"
	"reflect"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKeysAreDocumented: docs/training.md has every key of [train] and no other, each with
// its default.
func TestKeysAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/training.md")
	require.NoError(t, err)
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\| `(.*?)` \\| .+ \\|$").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = m[2]
	}
	keys := reflect.TypeFor[Task]()
	require.Len(t, rows, keys.NumField())
	for i := range keys.NumField() {
		key := keys.Field(i).Tag.Get("toml")
		require.Contains(t, rows, key)
		task, err := ReadTask([]byte("[train]\n" + key + " = " + rows[key] + "\n"))
		require.NoError(t, err, key)
		got, want := reflect.ValueOf(task).Field(i), reflect.ValueOf(DefaultTask()).Field(i)
		if k := got.Kind(); (k == reflect.Slice || k == reflect.Map) && got.Len() == 0 {
			require.Zero(t, want.Len(), key)
			continue
		}
		require.Equal(t, want.Interface(), got.Interface(), key)
	}
}
