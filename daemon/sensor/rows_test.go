package sensor

import (
	"context"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Tests of rows of docs/reliability.md that belong to no other file.

// TestRow32StuckBus: a bus on which every transfer ends in a time-out of the kernel
// after a second is tried less and less often, at least once a minute, and costs
// the other bus nothing.
func TestRow32StuckBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, good := newFakeBus(), newFakeBus()
		stuck.fail = func(int) error { time.Sleep(time.Second); return syscall.ETIMEDOUT }
		second := light("b")
		second.Bus = "2"
		origin := time.Now().Add(-time.Second)
		pollers := NewPollers([]Config{light("a"), second}, func() time.Duration { return time.Since(origin) },
			Hardware{I2C: func(name string) (Bus, error) {
				if name == "1" {
					return stuck.open(name)
				}
				return good.open(name)
			}})
		ctx, stop := context.WithCancel(t.Context())
		var l log
		done := make(chan error)
		for _, p := range pollers {
			go func() { done <- p.Run(ctx, l.deliver) }()
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		require.InDelta(t, 3600, len(l.values()), 36, "the good bus keeps its rate")
		require.InDelta(t, 70, stuck.count(), 15, "once a minute, or a little more often")
		errs := l.errors()
		require.Len(t, errs, stuck.count())
		require.ErrorIs(t, errs[0], ErrTimeout)
		require.ErrorContains(t, errs[0], "a chip holds the bus: switch its power off and on")
		stuck.change(func() { stuck.fail = nil })
		before := len(l.values())
		time.Sleep(MaxBackoff + 2*time.Second)
		synctest.Wait()
		require.Greater(t, len(l.values()), before+int(MaxBackoff/time.Second)+2, "both deliver again")
		stop()
		require.NoError(t, <-done)
		require.NoError(t, <-done)
	})
}

// pipeBus is a bus whose transfers hang in a read of the kernel.
type pipeBus struct {
	fd    int
	calls atomic.Int64
}

func (b *pipeBus) Tx(uint16, []byte, []byte) error {
	b.calls.Add(1)
	_, err := syscall.Read(b.fd, make([]byte, 1))
	return err
}

func (b *pipeBus) Close() error { return nil }

// threads counts this process's.
func threads(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip("no /proc:", err)
	}
	return len(entries)
}

// TestRow33OneThread: a call that hangs in the kernel costs one thread, however
// long it hangs and however many sensors are on the bus.
func TestRow33OneThread(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts threads in /proc")
	}
	var pipe [2]int
	require.NoError(t, syscall.Pipe(pipe[:]))
	bus := &pipeBus{fd: pipe[0]}
	var configs []Config
	for i, alias := range []string{"a", "b", "c", "d"} {
		c := light(alias)
		c.Driver, c.Address, c.Channels = "tmp102", uint16(0x48+i), nil
		c.Interval.UnmarshalText([]byte("10ms"))
		configs = append(configs, c)
	}
	origin := time.Now().Add(-time.Second)
	now := func() time.Duration { return time.Since(origin) }
	p := NewPollers(configs, now, Hardware{I2C: func(string) (Bus, error) { return bus, nil }})[0]
	before := threads(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Run(ctx, func(Reading) {}) }()
	require.Eventually(t, func() bool { _, _, hangs := p.Overdue(now()); return hangs }, 10*time.Second, 10*time.Millisecond)
	hung := threads(t)
	time.Sleep(300 * time.Millisecond)
	require.EqualValues(t, 1, bus.calls.Load())
	own := runtime.GOMAXPROCS(0) // what the runtime may have begun beside it
	require.LessOrEqual(t, hung, before+1+own)
	require.LessOrEqual(t, threads(t), hung+own, "no more of them in thirty intervals of four sensors")
	require.Zero(t, p.Due(), "the watchdog has nothing to wait for")
	stop()
	require.NoError(t, syscall.Close(pipe[1])) // every read ends from now on
	require.NoError(t, <-done)
	require.NoError(t, syscall.Close(pipe[0]))
}

// TestRow40BusyDevice: a device that is busy, or whose stream broke, is opened again
// with back-off and resumes by itself.
func TestRow40BusyDevice(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EBUSY, syscall.EPIPE} {
		synctest.Test(t, func(t *testing.T) {
			bus := newFakeBus()
			bus.fail = func(transfer int) error {
				if transfer >= 20 && transfer < 25 {
					return errno
				}
				return nil
			}
			b := start(t, bus, light("desk"))
			b.pass(5 * time.Minute)
			require.Len(t, b.log.errors(), 5)
			require.Equal(t, 6, bus.opened, "opened again after each failure")
			require.Greater(t, len(b.log.values()), 240)
			require.NoError(t, b.end())
			require.Equal(t, bus.opened, bus.closed)
		})
	}
}

// torn is a file of sysfs that answers differently each time it is opened.
type torn struct {
	fstest.MapFS
	file    string
	answers []string // an errno's text, or what the file holds
	n       int
}

func (f *torn) Open(name string) (fs.File, error) {
	if name != f.file {
		return f.MapFS.Open(name)
	}
	answer := f.answers[f.n%len(f.answers)]
	f.n++
	if answer == "again" {
		return nil, &fs.PathError{Op: "read", Path: name, Err: syscall.EAGAIN}
	}
	return fstest.MapFS{name: {Data: []byte(answer)}}.Open(name)
}

// TestRow39TornFile: a file of sysfs that is empty, half written or busy gives no
// value, and the next reading is tried in time.
func TestRow39TornFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := &torn{board(), "class/hwmon/hwmon0/temp1_input", []string{
			"48000\n", "", "48000\n", "again", "48000\n", "-", "48000\n", "4 8", "48000\n", "\x00\x00", "48000\n", strings.Repeat("9", 400),
		}, 0}
		c := Config{Alias: "cpu", Type: HWMon, Driver: "cpu_thermal"}
		origin := time.Now().Add(-time.Second)
		p := NewPollers([]Config{c}, func() time.Duration { return time.Since(origin) }, Hardware{Sysfs: tree})[0]
		ctx, stop := context.WithCancel(t.Context())
		var l log
		done := make(chan error)
		go func() { done <- p.Run(ctx, l.deliver) }()
		time.Sleep(12 * time.Minute)
		synctest.Wait()
		require.Greater(t, len(l.values()), 300)
		for _, v := range l.values() {
			require.InDelta(t, 48, v, 1e-9)
		}
		require.InDelta(t, len(l.values()), len(l.errors()), 2)
		stop()
		require.NoError(t, <-done)
	})
}
