package record

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMain is also the process that TestRow01Kill kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("RAGEDGE_TEST_RECORD"); dir != "" {
		recordUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// recordUntilKilled prints the number of each record once it is durable.
func recordUntilKilled(dir string) {
	c := small(DurableRecord)
	c.Directory = dir
	r := New(c, testRun(), &testClock{}, OS{}, slog.New(slog.DiscardHandler), nil)
	for n := 1; ; n++ {
		note(r, n)
		if err := r.Flush(context.Background()); err != nil {
			panic(err)
		}
		fmt.Println(n)
	}
}

// TestRow01Kill kills the process at any moment: what it said to be durable is there
// after the next start, on the machine's own file system.
func TestRow01Kill(t *testing.T) {
	const cycles = 20
	chance := rand.New(rand.NewSource(1))
	total := 0
	for cycle := range cycles {
		dir := t.TempDir()
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "RAGEDGE_TEST_RECORD="+dir)
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		if err := child.Start(); errors.Is(err, syscall.ENOEXEC) {
			t.Skip("under emulation, a program cannot start itself")
		} else {
			require.NoError(t, err)
		}
		stop := 1 + chance.Intn(80)
		lines, acked := bufio.NewReader(out), 0
		for acked < stop {
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			acked, err = strconv.Atoi(strings.TrimSpace(line))
			require.NoError(t, err)
		}
		require.NoError(t, child.Process.Kill())
		if rest, err := io.ReadAll(lines); err == nil {
			acked += bytes.Count(rest, []byte{'\n'})
		}
		_ = child.Wait() // killed

		c := small(DurableRecord)
		c.Directory = dir
		r := New(c, testRun(), &testClock{}, OS{}, slog.New(slog.DiscardHandler), nil)
		note(r, 1000)
		require.NoError(t, r.Flush(t.Context()))
		require.NoError(t, r.Close(t.Context()))
		seen := map[int]bool{}
		for _, from := range files(t, dir) {
			foreign(t, from)
			got, err := Load([]Source{from})
			require.NoError(t, err)
			for _, n := range values(got) {
				seen[n] = true
			}
		}
		for n := 1; n <= acked; n++ {
			require.True(t, seen[n], "cycle %d: record %d of %d is lost", cycle, n, acked)
		}
		total += acked
	}
	t.Logf("killed %d times, %d records acknowledged, none lost", cycles, total)
}

// files are the closed segments of a directory.
func files(t testing.TB, dir string) []Source {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+closedSuffix))
	require.NoError(t, err)
	var all []Source
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		all = append(all, Source{name, bytes.NewReader(text), int64(len(text)), false})
	}
	return all
}

func TestRow13OneProcessPerDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	first, err := OS{}.OpenDir(dir)
	require.NoError(t, err)
	_, err = OS{}.OpenDir(dir)
	require.ErrorIs(t, err, ErrInUse)
	require.NoError(t, first.Close())
	again, err := OS{}.OpenDir(dir)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

// TestPythonReads lets the reader that the format's makers publish for Python
// check the files; RAGEDGE_MCAP_PYTHON names a Python that has it.
func TestPythonReads(t *testing.T) {
	python := os.Getenv("RAGEDGE_MCAP_PYTHON")
	if python == "" {
		python = "python3"
	}
	if exec.Command(python, "-c", "import mcap.reader").Run() != nil {
		t.Skip("no Python with the package mcap")
	}
	c := small(DurableRecord)
	c.Directory = t.TempDir()
	r := New(c, testRun(), &testClock{}, OS{}, slog.New(slog.DiscardHandler), nil)
	for n := range 200 {
		note(r, n+1)
		require.NoError(t, r.Flush(t.Context()))
	}
	require.NoError(t, r.Label(t.Context(), &Label{Label: "x", From: 1}))
	require.NoError(t, r.Close(t.Context()))
	names, err := filepath.Glob(filepath.Join(c.Directory, "*"+closedSuffix))
	require.NoError(t, err)
	require.Greater(t, len(names), 1)
	const program = `
import json, sys
from mcap.reader import make_reader, NonSeekingReader
values, labels = [], []
for name in sys.argv[1:]:
    with open(name, "rb") as f:
        reader = make_reader(f, validate_crcs=True)
        assert [m.metadata["version"] for m in reader.iter_metadata()] == ["test"]
        n = 0
        for schema, channel, message in reader.iter_messages():
            n += 1
            data = json.loads(message.data)
            if channel.topic == "/sensor/desk":
                values.append(int(data["values"]["lux"]))
            if channel.topic == "/label":
                labels.append(data["label"])
        assert n == reader.get_summary().statistics.message_count
    with open(name, "rb") as f:
        assert n == sum(1 for _ in NonSeekingReader(f, validate_crcs=True).iter_messages())
print(values == list(range(1, 201)), labels)
`
	out, err := exec.Command(python, append([]string{"-c", program}, names...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "True ['x']\n", string(out))
}

// BenchmarkReading is what the pipeline pays; the disk is not waited for.
func BenchmarkReading(b *testing.B) {
	c := small(DurableNone)
	c.Directory, c.SegmentBytes = b.TempDir(), 16<<20
	r := New(c, testRun(), &testClock{}, OS{}, slog.New(slog.DiscardHandler), nil)
	b.ReportAllocs()
	for n := range b.N {
		note(r, n)
		if n%1000 == 999 {
			r.Room(b.Context())
		}
	}
	require.NoError(b, r.Close(b.Context()))
	require.Zero(b, r.Stats().Dropped)
}

// BenchmarkDurable waits for the disk after each record.
func BenchmarkDurable(b *testing.B) {
	c := small(DurableRecord)
	c.Directory, c.SegmentBytes = b.TempDir(), 16<<20
	r := New(c, testRun(), &testClock{}, OS{}, slog.New(slog.DiscardHandler), nil)
	for n := range b.N {
		note(r, n)
		require.NoError(b, r.Flush(b.Context()))
	}
	require.NoError(b, r.Close(b.Context()))
}
