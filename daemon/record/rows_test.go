package record

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/encoder"
	"github.com/stretchr/testify/require"
)

// The numbers of these tests, and of those elsewhere whose names have one, are the
// rows of the list of faults in docs/reliability.md.

// TestRow06FailedSyncIsNotTriedAgain: after a failed sync nothing is acknowledged
// that was in that file, and it is written and synced no more before it was read
// back; what waits goes into another.
func TestRow06FailedSyncIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSimFS()
		r, _ := newTest(small(DurableRecord), disk)
		note(r, 1)
		require.NoError(t, r.Flush(t.Context()))
		var fail atomic.Bool
		var ops []string
		disk.before = func(op string) error {
			ops = append(ops, op)
			if op == "sync" && fail.Swap(false) {
				return errors.New("input/output error")
			}
			return nil
		}
		fail.Store(true)
		acked := r.Committed()
		note(r, 2)
		require.Error(t, r.Flush(t.Context()))
		require.Equal(t, acked, r.Committed())
		disk.mu.Lock()
		require.Equal(t, "sync", ops[len(ops)-1], "the file is left alone")
		disk.mu.Unlock()
		time.Sleep(2 * firstPause)
		synctest.Wait()
		require.Greater(t, r.Committed(), acked)
		require.NoError(t, r.Close(t.Context()))
		require.Len(t, sources(t, disk), 2)
		require.Equal(t, count(2), values(load(t, disk)))
	})
}

// badReads is a disk with one file that cannot be read.
type badReads struct {
	*simFS
	name string
}

func (b badReads) OpenDir(string) (Dir, error) { return b, nil }

func (b badReads) Open(name string) (File, error) {
	f, err := b.simFS.Open(name)
	if name == b.name && err == nil {
		f = badFile{f}
	}
	return f, err
}

type badFile struct{ File }

func (badFile) ReadAt([]byte, int64) (int, error) { return 0, syscall.EIO }

// TestRow07ReadErrorSetsAside: a file that cannot be read is kept under another
// name and counted; the others are closed, and recording goes on.
func TestRow07ReadErrorSetsAside(t *testing.T) {
	disk := newSimFS()
	for _, name := range []string{"r-0001.mcap.open", "r-0002.mcap.open"} {
		f, err := disk.Create(name)
		require.NoError(t, err)
		p := newPrologue(&Run{}, "r", Always)
		var c chunk
		b, start := beginMessage(nil, clockChannel, 1, 1)
		message := end(appendClock(b, 1, synced), start)
		require.True(t, c.look(message))
		_, err = f.WriteAt(c.appendChunk(slices.Clone(p.bytes), message), 0)
		require.NoError(t, err)
	}
	r, _ := newTest(small(DurableRecord), badReads{disk, "r-0001.mcap.open"})
	note(r, 1)
	require.NoError(t, r.Flush(t.Context()))
	require.NoError(t, r.Close(t.Context()))
	require.EqualValues(t, 1, r.Stats().Aside)
	var names []string
	entries, err := disk.List()
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name)
	}
	require.Contains(t, names, "r-0001.mcap.open.bad")
	require.Contains(t, names, "r-0002.mcap")
}

// TestRow09QuotaHolds: all files together never take more than the quota and one
// file.
func TestRow09QuotaHolds(t *testing.T) {
	disk := newSimFS()
	c := small(DurableRecord)
	c.MaxBytes = 4 * c.SegmentBytes
	r, _ := newTest(c, disk)
	most := int64(0)
	for n := range 1500 {
		r.Reading(0, time.Duration(n), []encoder.Sample{{Channel: strings.Repeat("x", 500), Value: 1}}, "", "")
		require.NoError(t, r.Flush(t.Context()))
		total := int64(0)
		entries, err := disk.List()
		require.NoError(t, err)
		for _, e := range entries {
			total += e.Size
		}
		most = max(most, total)
	}
	require.Positive(t, r.Stats().Removed)
	require.LessOrEqual(t, most, c.MaxBytes+c.SegmentBytes)
	require.NoError(t, r.Close(t.Context()))
}

// TestRow11SlowDiskHoldsNobodyUp: every operation takes five seconds; those who
// record wait for none of them, and what does not fit is counted.
func TestRow11SlowDiskHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSimFS()
		slow := true
		disk.before = func(string) error {
			if slow {
				time.Sleep(5 * time.Second)
			}
			return nil
		}
		r, _ := newTest(small(DurableRecord), disk)
		begun := time.Now()
		const records = 20000
		for n := range records {
			note(r, n+1)
		}
		require.Zero(t, time.Since(begun))
		time.Sleep(time.Hour)
		disk.mu.Lock()
		slow = false
		disk.mu.Unlock()
		require.NoError(t, r.Close(t.Context()))
		s := r.Stats()
		require.Positive(t, s.Dropped)
		require.InDelta(t, records, int64(len(values(load(t, disk))))+s.Dropped, 1, "and perhaps one of the clock")
	})
}

// TestRow12DirectoryGoes: somebody removes the directory while a file is open
// in it. The next record is in a new one.
func TestRow12DirectoryGoes(t *testing.T) {
	c := small(DurableRecord)
	c.Directory = filepath.Join(t.TempDir(), "recordings")
	r := New(c, testRun(), &testClock{}, OS{}, slog.New(slog.DiscardHandler), nil)
	note(r, 1)
	require.NoError(t, r.Flush(t.Context()))
	require.NoError(t, os.RemoveAll(c.Directory))
	note(r, 2)
	require.Eventually(t, func() bool { return r.Flush(t.Context()) == nil }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, r.Close(t.Context()))
	got, err := Load(files(t, c.Directory))
	require.NoError(t, err)
	require.Equal(t, []int{2}, values(got))
	require.Zero(t, r.Stats().Dropped)
}

// TestRow14NewerVersionIsRefused: a file of a format that is not known yet is not
// read, and nothing touches it.
func TestRow14NewerVersionIsRefused(t *testing.T) {
	disk := newSimFS()
	r, _ := newTest(small(DurableRecord), disk)
	note(r, 1)
	require.NoError(t, r.Close(t.Context()))
	from := sources(t, disk)[0]
	data := make([]byte, from.Size)
	_, err := from.ReadAt(data, 0)
	require.NoError(t, err)
	newer := bytes.Replace(data, []byte("format\x01\x00\x00\x001"), []byte("format\x01\x00\x00\x002"), 1)
	require.NotEqual(t, data, newer)
	_, err = Load([]Source{{"new.mcap", bytes.NewReader(newer), int64(len(newer)), false}})
	require.ErrorIs(t, err, ErrUnreadable)
	require.ErrorContains(t, err, "new.mcap")

	disk = newSimFS()
	disk.names["a-0001.mcap"] = &inode{data: slices.Clone(newer)}
	r, _ = newTest(small(DurableRecord), disk)
	note(r, 1)
	require.NoError(t, r.Flush(t.Context()))
	require.NoError(t, r.Close(t.Context()))
	require.Equal(t, newer, disk.names["a-0001.mcap"].data)
}

// TestRow15OversizedRecord: a record that fits nowhere is dropped and counted, and
// nothing else is.
func TestRow15OversizedRecord(t *testing.T) {
	disk := newSimFS()
	c := small(DurableRecord)
	c.Flight, c.FlightBytes = encoder.Duration(time.Minute), minFlight
	r, _ := newTest(c, disk)
	note(r, 1)
	r.Push(1, []Regions{{"text", 0, 0, 1000, 1000, make([]float32, 1e6)}}, nil)
	note(r, 2)
	require.NoError(t, r.Close(t.Context()))
	require.EqualValues(t, 1, r.Stats().Dropped)
	require.EqualValues(t, 1, r.Stats().Forgotten)
	got := load(t, disk)
	require.Equal(t, count(2), values(got))
	require.Contains(t, got.Lacks(), "1 records are missing")
}
