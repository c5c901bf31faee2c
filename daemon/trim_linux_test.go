package daemon

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// fileResident is how many KiB of files this process has mapped and resident.
func fileResident(t *testing.T) int {
	text, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	found := regexp.MustCompile(`RssFile:\s+(\d+) kB`).FindSubmatch(text)
	require.NotNil(t, found)
	n, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return n
}

// What the program has run so far is no longer resident, and runs again when it is
// needed.
func TestTrim(t *testing.T) {
	if testing.Short() {
		t.Skip("an emulator has its own mappings")
	}
	require.NoError(t, readWhole())
	before := fileResident(t)
	require.NoError(t, trim())
	after := fileResident(t)
	require.Less(t, after, before*3/4, "KiB, of %d", before)
	require.NoError(t, readWhole())
	require.NoError(t, trim(), "again")
}

// readWhole uses a good part of the package.
func readWhole() error {
	c := quiet(lightSensor(), airSensor())
	_, err := New(c, Environment{Notify: &notes{}})
	return err
}
