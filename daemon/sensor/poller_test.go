package sensor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFirstValueIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := newFakeBus()
		b := start(t, bus, light("desk"))
		// The driver pauses 10 ms after it set the mode; then the chip measures.
		b.pass(189 * time.Millisecond)
		require.Empty(t, b.log.all())
		require.Equal(t, 2, bus.count(), "the bus is free meanwhile")
		b.pass(time.Millisecond)
		got := b.log.all()
		require.Len(t, got, 1)
		require.NoError(t, got[0].Err)
		require.Equal(t, "light", got[0].Samples[0].Channel)
		require.Equal(t, fakeLux, got[0].Samples[0].Value)
		require.Equal(t, b.now(), got[0].At)
		require.Equal(t, got[0].At, got[0].Samples[0].At)
		require.NoError(t, b.end())
		require.Equal(t, bus.opened, bus.closed)
	})
}

// A transfer that fails must never become a value, whichever one it is: the
// driver alone would make 213 lux of a dead bus.
func TestRow31EveryTransferFailing(t *testing.T) {
	const ordinals = 12
	nack := fmt.Errorf("sysfs-i2c: %v", syscall.EREMOTEIO)
	for n := range ordinals {
		t.Run(fmt.Sprintf("once at %d", n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := newFakeBus()
				bus.fail = func(transfer int) error {
					if transfer == n {
						bus.change(bus.chips[0x23].powerCut)
						return nack
					}
					return nil
				}
				b := start(t, bus, light("desk"))
				b.pass(20 * time.Second)
				errs := b.log.errors()
				require.Len(t, errs, 1)
				require.ErrorIs(t, errs[0], ErrUnplugged)
				require.ErrorIs(t, errs[0], nack)
				require.Greater(t, len(b.log.values()), 15)
				for _, v := range b.log.values() {
					require.Equal(t, fakeLux, v)
				}
				require.NoError(t, b.end())
				require.Equal(t, 2, bus.opened, "opened again after the failure")
				require.Equal(t, bus.opened, bus.closed)
			})
		})
		t.Run(fmt.Sprintf("for ever from %d", n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := newFakeBus()
				bus.fail = func(transfer int) error {
					if transfer >= n {
						return nack
					}
					return nil
				}
				b := start(t, bus, light("desk"))
				b.pass(20 * time.Second)
				require.Len(t, b.log.values(), max(0, n-2), "two transfers configure the chip")
				for _, v := range b.log.values() {
					require.Equal(t, fakeLux, v)
				}
				require.NotEmpty(t, b.log.errors())
				last := b.log.all()
				require.Error(t, last[len(last)-1].Err)
				require.NoError(t, b.end())
				require.Equal(t, bus.opened, bus.closed)
			})
		})
	}
}

func TestAllOnesIsNoValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := newFakeBus()
		bus.chips[0x23].count = 0xffff
		b := start(t, bus, light("desk"))
		b.pass(5 * time.Second)
		require.Empty(t, b.log.values())
		require.ErrorIs(t, b.log.errors()[0], errAllOnes)
		require.ErrorContains(t, b.log.errors()[0], "bh1750 at 0x23 on I2C bus 1: the chip reads all ones")
		bus.change(func() { bus.chips[0x23].count = fakeCount })
		b.pass(10 * time.Second)
		require.NotEmpty(t, b.log.values())
		require.NoError(t, b.end())
	})
}

func TestRow34UnplugAndReplug(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := newFakeBus()
		b := start(t, bus, light("desk"))
		b.pass(10 * time.Second)
		before := len(b.log.values())
		require.NotZero(t, before)

		// The USB adapter is pulled: the open file fails, then there is none.
		bus.change(func() {
			bus.cannotOpen = fmt.Errorf("sysfs-i2c: bus #1 is not configured: open /dev/i2c-1: %w", syscall.ENOENT)
			bus.fail = func(int) error { return fmt.Errorf("sysfs-i2c: %v", syscall.ENODEV) }
		})
		b.pass(time.Hour)
		require.Len(t, b.log.values(), before)
		errs := b.log.errors()
		require.ErrorContains(t, errs[0], "no such device; the adapter is gone")
		require.ErrorContains(t, errs[1], "there is no /dev/i2c-1: switch the bus on")
		for _, err := range errs {
			require.ErrorIs(t, err, ErrUnplugged)
		}
		require.InDelta(t, 68, len(errs), 15, "once a minute or a little more often, after the first six tries")

		bus.change(func() {
			bus.cannotOpen, bus.fail = nil, nil
			bus.chips[0x23].powerCut()
		})
		b.pass(MaxBackoff + time.Second)
		after := b.log.values()
		require.Greater(t, len(after), before)
		require.Equal(t, fakeLux, after[len(after)-1])

		// One more failure is the first again: the next try comes at once.
		once := bus.count()
		bus.change(func() {
			bus.fail = func(transfer int) error {
				if transfer == once {
					return syscall.EIO
				}
				return nil
			}
		})
		b.pass(3 * time.Second)
		require.Len(t, b.log.errors(), len(errs)+1)
		require.Greater(t, len(b.log.values()), len(after))
		require.NoError(t, b.end())
		require.Equal(t, bus.opened, bus.closed)
	})
}

func TestLateAnswerIsDropped(t *testing.T) {
	for _, c := range []struct {
		name     string
		transfer int
	}{{"configuring", 1}, {"reading", 4}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := newFakeBus()
				bus.fail = func(transfer int) error {
					if transfer == c.transfer {
						time.Sleep(300 * time.Millisecond)
					}
					return nil
				}
				b := start(t, bus, light("desk"))
				b.pass(10 * time.Second)
				errs := b.log.errors()
				require.Len(t, errs, 1)
				require.ErrorIs(t, errs[0], ErrTimeout)
				require.ErrorContains(t, errs[0], "bh1750 at 0x23 on I2C bus 1: timed out: answered after 3")
				require.Greater(t, len(b.log.values()), 7, "the bus goes on")
				require.NoError(t, b.end())
			})
		})
	}
}

// A call that never comes back is seen from outside, is not repeated, does not
// make the poller late, and its answer is dropped when it does come.
func TestRow33StuckCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := newFakeBus()
		bus.chips[0x5c] = &fakeBH1750{count: fakeCount}
		release := make(chan struct{})
		var stuck atomic.Int64
		stuck.Store(-1)
		bus.fail = func(transfer int) error {
			if int64(transfer) == stuck.Load() {
				<-release
			}
			return nil
		}
		other := light("shelf")
		other.Address, other.Channels = 0x5c, nil
		b := start(t, bus, light("desk"), other)
		b.pass(5500 * time.Millisecond)
		require.Equal(t, []int{0, 1}, b.poller.Sensors())
		require.Equal(t, "shelf.lux", b.log.all()[1].Samples[0].Channel)
		_, _, overdue := b.poller.Overdue(b.now())
		require.False(t, overdue)
		require.Greater(t, b.poller.Due(), b.now())

		next := bus.count()
		stuck.Store(int64(next))
		b.pass(time.Second)
		index, since, overdue := b.poller.Overdue(b.now())
		require.True(t, overdue)
		require.Equal(t, 0, index)
		_, _, early := b.poller.Overdue(since + 200*time.Millisecond)
		require.False(t, early, "the timeout itself is allowed")
		require.Zero(t, b.poller.Due())
		before := len(b.log.all())

		b.pass(24 * time.Hour)
		require.Equal(t, next+1, bus.count(), "not repeated")
		require.Len(t, b.log.all(), before)
		require.Zero(t, b.poller.Due())

		close(release)
		b.pass(5 * time.Second)
		_, _, overdue = b.poller.Overdue(b.now())
		require.False(t, overdue)
		got := b.log.all()[before:]
		require.ErrorIs(t, got[0].Err, ErrTimeout)
		require.Equal(t, 0, got[0].Sensor)
		require.Equal(t, 1, got[1].Sensor)
		require.NoError(t, got[1].Err)
		require.Len(t, b.log.errors(), 1)
		require.InDelta(t, 24*3600, b.poller.Missed(), 5, "the other sensor's readings")
		require.NoError(t, b.end())
	})
}

func TestStartupError(t *testing.T) {
	for _, c := range []struct {
		policy  string
		fatal   bool
		held    bool // the start waits for the first reading
		leftOut bool
	}{
		{StartupFail, true, true, false},
		{StartupIgnore, false, false, true},
		{StartupProbe, false, true, true},
		{StartupRetry, false, false, false},
		{"", false, false, false},
	} {
		started := func(b *bench) bool {
			select {
			case <-b.poller.Started():
				return true
			default:
				return false
			}
		}
		t.Run("bad "+c.policy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := newFakeBus()
				bus.fail = func(transfer int) error {
					time.Sleep(50 * time.Millisecond)
					if transfer < 3 {
						return syscall.ENXIO
					}
					return nil
				}
				config := light("desk")
				config.StartupError = c.policy
				b := start(t, bus, config)
				synctest.Wait()
				require.Equal(t, !c.held, started(b))
				b.pass(time.Minute)
				if c.fatal {
					err := <-b.done
					require.ErrorIs(t, err, ErrUnplugged)
					require.EqualError(t, err, "sensor desk: bh1750 at 0x23 on I2C bus 1: no such device or address; "+
						"nothing answers: check power, cable and address with i2cdetect -y 1")
					require.False(t, started(b))
					require.Empty(t, b.log.all())
					return
				}
				require.True(t, started(b))
				if c.leftOut {
					require.Len(t, b.log.all(), 1)
					require.ErrorIs(t, b.log.errors()[0], ErrLeftOut)
					require.ErrorIs(t, b.log.errors()[0], ErrUnplugged)
					require.Zero(t, b.poller.Due(), "nothing is due any more")
				} else {
					require.Len(t, b.log.errors(), 3)
					require.NotEmpty(t, b.log.values())
				}
				require.NoError(t, b.end())
			})
		})
		t.Run("good "+c.policy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := newFakeBus()
				bus.fail = func(transfer int) error {
					if transfer == 5 {
						return syscall.EIO // later failures are none of a start
					}
					return nil
				}
				config := light("desk")
				config.StartupError = c.policy
				b := start(t, bus, config)
				synctest.Wait()
				require.Equal(t, !c.held, started(b))
				b.pass(time.Minute)
				require.True(t, started(b))
				require.Len(t, b.log.errors(), 1)
				require.Greater(t, len(b.log.values()), 50)
				require.NoError(t, b.end())
			})
		})
	}
}

// fakeDevice stands in for a chip where only what it returns matters.
type fakeDevice struct {
	settle time.Duration
	value  func() float64
}

func (d *fakeDevice) String() string                    { return "fake" }
func (d *fakeDevice) close()                            {}
func (d *fakeDevice) configure() (time.Duration, error) { return d.settle, nil }
func (d *fakeDevice) read(values []float64) error {
	values[0] = d.value()
	return nil
}

// startDevice runs a poller of fake devices.
func startDevice(t *testing.T, interval time.Duration, devices ...device) *bench {
	b := &bench{t: t, done: make(chan error, 1), origin: time.Now().Add(-time.Second)}
	b.poller = newPoller("1", 0, b.now)
	for i, d := range devices {
		c := light(fmt.Sprintf("s%d", i)).WithDefaults()
		c.Interval.UnmarshalText([]byte(interval.String()))
		b.poller.add(i, c, d)
	}
	return b
}

func TestDriverGoneWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		value func() float64
		want  string
		is    error
	}{
		{"NaN", math.NaN, "fake: lux: not a finite number: NaN", ErrNonFinite},
		{"Inf", func() float64 { return math.Inf(-1) }, "fake: lux: not a finite number: -Inf", ErrNonFinite},
		{"panic", func() float64 { panic("index out of range") }, "fake: driver bh1750 panicked: index out of range", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good := &fakeDevice{value: func() float64 { return 1 }}
				b := startDevice(t, time.Second, &fakeDevice{value: c.value}, good)
				b.run()
				b.pass(10 * time.Second)
				require.EqualError(t, b.log.errors()[0], c.want)
				if c.is != nil {
					require.ErrorIs(t, b.log.errors()[0], c.is)
				}
				require.Len(t, b.log.values(), 11, "the other sensor is not disturbed")
				require.NoError(t, b.end())
			})
		})
	}
}

func TestSchedule(t *testing.T) {
	t.Run("hours on the grid", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			slow := func() float64 { time.Sleep(7 * time.Millisecond); return 1 }
			b := startDevice(t, time.Second, &fakeDevice{settle: 30 * time.Millisecond, value: slow})
			b.run()
			b.pass(3*time.Hour - time.Millisecond)
			got := b.log.all()
			require.Len(t, got, 3*3600)
			for i, r := range got {
				require.Equal(t, time.Second+37*time.Millisecond+time.Duration(i)*time.Second, r.At)
			}
			require.Zero(t, b.poller.Missed())
			require.NoError(t, b.end())
		})
	})
	t.Run("a crowded bus is fair", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			slow := func() float64 { time.Sleep(90 * time.Millisecond); return 1 }
			b := startDevice(t, 100*time.Millisecond, &fakeDevice{value: slow}, &fakeDevice{value: slow}, &fakeDevice{value: slow})
			b.run()
			b.pass(time.Minute)
			var counts [3]int
			for _, r := range b.log.all() {
				counts[r.Sensor]++
			}
			for _, n := range counts {
				require.InDelta(t, 222, n, 2)
			}
			require.NoError(t, b.end())
		})
	})
}

// TestRow45SlowerThanItsInterval: readings whose time has passed are counted and
// never made up for.
func TestRow45SlowerThanItsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func() float64 { time.Sleep(150 * time.Millisecond); return 1 }
		b := startDevice(t, 100*time.Millisecond, &fakeDevice{value: slow})
		b.run()
		b.pass(20*time.Second + 50*time.Millisecond)
		require.Len(t, b.log.values(), 100, "every second tick")
		require.EqualValues(t, 100, b.poller.Missed())
		require.Empty(t, b.log.errors())
		require.NoError(t, b.end())
	})
}

// TestRow44SleepOfTheMachine: one reading after it, not one for each that was missed.
func TestRow44SleepOfTheMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startDevice(t, time.Second, &fakeDevice{value: func() float64 { return 1 }})
		b.run()
		b.pass(5500 * time.Millisecond)
		before := len(b.log.values())
		b.jump.Store(int64(time.Hour))
		b.pass(time.Second)
		require.Len(t, b.log.values(), before+1, "one reading, no storm")
		require.EqualValues(t, 3600, b.poller.Missed())
		require.NoError(t, b.end())
	})
}

func TestRow34Backoff(t *testing.T) {
	c := light("desk").WithDefaults()
	p := newPoller("1", 0, nil)
	again := newPoller("1", 0, nil)
	s := &polled{config: c}
	for failures, want := range []time.Duration{1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 32, 7: 60, 8: 60, 1000: 60} {
		if want == 0 {
			continue
		}
		s.failures = failures
		seen := map[time.Duration]bool{}
		for range 50 {
			got := p.backoff(s)
			require.LessOrEqual(t, got, want*time.Second)
			require.GreaterOrEqual(t, got, want*time.Second*3/4)
			require.Equal(t, got, again.backoff(s), "the jitter has a seed")
			seen[got] = true
		}
		require.Greater(t, len(seen), 10, "waits differ")
	}
	s.config.Interval *= 3600
	s.failures = 9
	require.InDelta(t, time.Minute*7/8, p.backoff(s), float64(time.Minute/8), "a sensor that is read once an hour is back within a minute, too")
}

func TestPollersByBus(t *testing.T) {
	second := light("b")
	second.Bus = "2"
	third := light("c")
	third.Address = 0x5c
	pollers := NewPollers([]Config{light("a"), {Alias: "p", Type: Push}, second, third}, nil, Hardware{})
	require.Len(t, pollers, 2)
	require.Equal(t, "I2C bus 1", pollers[0].Bus())
	require.Equal(t, []int{0, 3}, pollers[0].Sensors())
	require.Equal(t, []int{2}, pollers[1].Sensors())
}

// A bus that hangs leaves the others at their full rate.
func TestRow33OtherBusesGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung, good := newFakeBus(), newFakeBus()
		release := make(chan struct{})
		hung.fail = func(int) error { <-release; return nil }
		second := light("b")
		second.Bus = "2"
		origin := time.Now().Add(-time.Second)
		pollers := NewPollers([]Config{light("a"), second}, func() time.Duration { return time.Since(origin) },
			Hardware{I2C: func(bus string) (Bus, error) {
				if bus == "1" {
					return hung.open(bus)
				}
				return good.open(bus)
			}})
		ctx, stop := context.WithCancel(t.Context())
		var l log
		done := make(chan error)
		for _, p := range pollers {
			go func() { done <- p.Run(ctx, l.deliver) }()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, l.values(), 60)
		stop()
		require.NoError(t, <-done)
		close(release)
		require.NoError(t, <-done)
		require.ErrorIs(t, l.errors()[0], ErrTimeout)
	})
}

func TestReadingAllocatesNothing(t *testing.T) {
	origin := time.Now().Add(-time.Second)
	p := newPoller("1", 0, func() time.Duration { return time.Since(origin) })
	p.add(0, light("desk").WithDefaults(), &fakeDevice{value: func() float64 { return 1 }})
	s := p.sensors[0]
	got := 0
	deliver := func(r Reading) { got += len(r.Samples) }
	require.NoError(t, p.step(s, deliver)) // configures
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if p.step(s, deliver) != nil {
			panic("a step failed")
		}
	}))
	require.Equal(t, 101, got)
}

func TestBusFailureNamesTheCause(t *testing.T) {
	for _, c := range []struct {
		err       error
		unplugged bool
		want      string
	}{
		{syscall.EREMOTEIO, true, "remote I/O error; nothing answers"},
		{syscall.ENXIO, true, "no such device or address; nothing answers"},
		{syscall.ENODEV, true, "no such device; the adapter is gone"},
		{syscall.ENOENT, true, "no such file or directory; there is no /dev/i2c-7"},
		{syscall.EACCES, false, "permission denied; this user may not open /dev/i2c-7"},
		{syscall.EPERM, false, "operation not permitted; the service may not use /dev/i2c-7"},
		{syscall.EBUSY, false, "device or resource busy; a driver of the kernel holds"},
		{syscall.ETIMEDOUT, false, "connection timed out; a chip holds the bus"},
		{syscall.EIO, false, "sysfs-i2c: input/output error"},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			// periph keeps only the text of its cause.
			cause := errors.New("sysfs-i2c: " + c.err.Error())
			err := busFailure("7", cause)
			require.ErrorContains(t, err, c.want)
			require.ErrorIs(t, err, cause)
			require.Equal(t, c.unplugged, errors.Is(err, ErrUnplugged))
		})
	}
}

func TestOpenI2C(t *testing.T) {
	_, err := OpenI2C("199")
	require.Error(t, err)
	require.ErrorIs(t, busFailure("199", err), ErrUnplugged, "no machine has that many")
	_, err = OpenI2C("one")
	require.ErrorContains(t, err, `"one" is not a number`)
}
