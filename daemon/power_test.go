package daemon

import (
	"bytes"
	"io/fs"
	"maps"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/stretchr/testify/require"
)

// No test depends on how hot the machine is that it runs on.
func init() { machine = fstest.MapFS{} }

// sys is a /sys with these files.
func sys(files map[string]string) fstest.MapFS {
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	return tree
}

const piThrottled = "devices/platform/soc/soc:firmware/get_throttled"

// piSys is a Raspberry Pi 4 at ease, and what differs from that.
func piSys(change map[string]string) fstest.MapFS {
	files := map[string]string{
		piThrottled:                                           "0",
		"class/hwmon/hwmon0/name":                             "cpu_thermal",
		"class/hwmon/hwmon1/name":                             "rpi_volt",
		"class/hwmon/hwmon1/in0_lcrit_alarm":                  "0",
		"class/thermal/thermal_zone0/temp":                    "48312",
		"class/thermal/thermal_zone0/trip_point_0_temp":       "110000",
		"class/thermal/thermal_zone0/trip_point_0_type":       "critical",
		"devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "1500000",
		"devices/system/cpu/cpufreq/policy0/scaling_max_freq": "1500000",
		"devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq": "1500000",
	}
	maps.Copy(files, change)
	return sys(files)
}

// TestRow61PowerIsRead: every source of a machine's state, and what nonsense of
// it is taken for.
func TestRow61PowerIsRead(t *testing.T) {
	const zone, trip = "class/thermal/thermal_zone1/", "class/thermal/thermal_zone1/trip_point_1_"
	for _, c := range []struct {
		name      string
		change    map[string]string
		now, boot []string
	}{
		{"at ease", nil, nil, nil},
		{"all of the firmware's bits", map[string]string{piThrottled: "f000f"}, []string{undervoltage, capped, throttled, hot}, []string{undervoltage, capped, throttled, hot}},
		{"with a prefix", map[string]string{piThrottled: "0x50005"}, []string{undervoltage, throttled}, []string{undervoltage, throttled}},
		{"only once", map[string]string{piThrottled: "0x50000"}, nil, []string{undervoltage, throttled}},
		{"on a Pi 5", map[string]string{"devices/platform/soc@107c000000:firmware/get_throttled": "2"}, []string{capped}, nil},
		{"bits that are none", map[string]string{piThrottled: "off"}, nil, nil},
		{"an empty file", map[string]string{piThrottled: ""}, nil, nil},
		{"alarm of the voltage", map[string]string{"class/hwmon/hwmon1/in0_lcrit_alarm": "1"}, []string{undervoltage}, nil},
		{"another chip's alarm", map[string]string{"class/hwmon/hwmon0/in0_lcrit_alarm": "1"}, nil, nil},
		{"close to critical", map[string]string{"class/thermal/thermal_zone0/temp": "100000"}, []string{hot}, nil},
		{"at a passive trip", map[string]string{zone + "temp": "80000", trip + "temp": "80000", trip + "type": "passive"}, []string{hot}, nil},
		{"below it", map[string]string{zone + "temp": "79999", trip + "temp": "80000", trip + "type": "passive"}, nil, nil},
		{"a fan is no throttle", map[string]string{zone + "temp": "79000", trip + "temp": "50000", trip + "type": "active"}, nil, nil},
		{"a trip that is not set", map[string]string{zone + "temp": "40000", trip + "temp": "0", trip + "type": "passive"}, nil, nil},
		{"a zone that is off", map[string]string{zone + "temp": "-256000"}, nil, nil},
		{"half a number", map[string]string{zone + "temp": "4e"}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newBoard(piSys(c.change)).read()
			require.Equal(t, c.now, s.degraded)
			require.Equal(t, c.boot, s.sinceBoot)
			require.Equal(t, c.now != nil, s.slow())
			require.True(t, s.known)
			require.GreaterOrEqual(t, s.temperature, 48.312)
			require.Equal(t, 1.5e9, s.frequency)
			require.Equal(t, 1.5e9, s.most)
		})
	}
	t.Run("overcurrent of a Jetson", func(t *testing.T) {
		tree := sys(map[string]string{"class/hwmon/hwmon3/oc1_event_cnt": "7"})
		b := newBoard(tree)
		require.Empty(t, b.read().degraded, "of another time")
		tree["class/hwmon/hwmon3/oc1_event_cnt"].Data = []byte("8\n")
		s := b.read()
		require.Equal(t, []string{overcurrent}, s.degraded)
		require.False(t, s.slow(), "reported, and nothing else")
		require.Empty(t, b.read().degraded)
	})
	t.Run("a machine that says nothing", func(t *testing.T) {
		s := newBoard(sys(nil)).read()
		require.False(t, s.known)
		require.True(t, math.IsNaN(s.temperature) && math.IsNaN(s.frequency))
	})
}

// hangingFS is a tree in which one file does not open until it is let go.
type hangingFS struct {
	fstest.MapFS
	name  string
	hold  chan struct{}
	opens *atomic.Int64
}

func (h hangingFS) Open(name string) (fs.File, error) {
	if name == h.name {
		h.opens.Add(1)
		<-h.hold
	}
	return h.MapFS.Open(name)
}

// TestRow61FileThatHangs: a thermal zone whose firmware hangs costs one goroutine
// and nothing of what the other files say.
func TestRow61FileThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var opens atomic.Int64
		name := "class/thermal/thermal_zone1/temp"
		tree := hangingFS{piSys(map[string]string{name: "200", piThrottled: "1"}), name, make(chan struct{}), &opens}
		b := newBoard(tree)
		for range 5 {
			s := b.read()
			require.Equal(t, []string{undervoltage}, s.degraded)
			require.InDelta(t, 48.3, s.temperature, 0.1)
			require.Equal(t, 1, s.unreadable)
		}
		require.EqualValues(t, 1, opens.Load(), "it is not asked again")
		close(tree.hold)
		synctest.Wait()
		require.Zero(t, b.read().unreadable)
		require.EqualValues(t, 2, opens.Load())
	})
}

// onBoard makes the daemon's machine this one until the test ends.
func onBoard(t *testing.T, tree fs.FS) {
	before := machine
	machine = tree
	t.Cleanup(func() { machine = before })
}

// changing is a tree whose files a test changes while a daemon reads them.
type changing struct {
	mu   sync.Mutex
	tree fstest.MapFS
}

func (c *changing) Open(name string) (fs.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tree.Open(name)
}

func (c *changing) set(name, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tree[name] = &fstest.MapFile{Data: []byte(text)}
}

// TestRow61StepDown: while the machine is not well every second tick is decided,
// what is wrong stands in every Result, and after a minute without it all ticks
// are; the samples of skipped ticks are there.
func TestRow61StepDown(t *testing.T) {
	for _, policy := range []string{ThrottleStepDown, ThrottleIgnore} {
		t.Run(policy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				board := &changing{tree: piSys(nil)}
				onBoard(t, board)
				time.Sleep(3 * time.Second) // ticks, questions and this test each have their second
				l := newLive(t)
				l.current.Load().stepDown = policy == ThrottleStepDown
				l.pipeline.stepDown = policy == ThrottleStepDown
				var logged bytes.Buffer
				l.env.Log = logTo(&logged)
				stop := run(t, l.Daemon)
				time.Sleep(time.Second)
				ticks := func(n int) (decided int) {
					before := l.results.len()
					for range n {
						l.push(t, 1)
						time.Sleep(tinyTick)
					}
					synctest.Wait()
					return l.results.len() - before
				}
				require.Equal(t, 6, ticks(6))
				require.Empty(t, l.results.last(t).Degraded)
				require.NotContains(t, string(l.results.last(t).AppendJSON(nil)), "degraded")
				require.Equal(t, api.StateUp, l.Status().State)

				board.set(piThrottled, "5")
				time.Sleep(powerEvery) // a tick, and the state is known
				synctest.Wait()
				want := 20
				if policy == ThrottleStepDown {
					want = 10
				}
				require.Equal(t, want, ticks(20))
				require.EqualValues(t, 20-want, l.Status().Skipped)
				require.Equal(t, []string{undervoltage, throttled}, l.results.last(t).Degraded)
				require.Contains(t, string(l.results.last(t).AppendJSON(nil)), `,"degraded":["undervoltage","throttled"]`)
				require.Equal(t, 2, part(l.results.last(t), "light").Rows, "all samples are in the windows")
				status := l.Status()
				require.Equal(t, api.StateDegraded, status.State)
				require.Equal(t, "power: undervoltage, throttled", status.Reason)
				require.Equal(t, policy == ThrottleStepDown, status.Power.SteppedDown)
				require.NoError(t, l.Ready())
				require.Zero(t, status.Missed)
				require.Contains(t, l.statusLine(), ", undervoltage, throttled")
				text := l.metricsText()
				for _, line := range []string{
					`ragedge_power_undervoltage 1`, `ragedge_cpu_throttled{kind="throttled"} 1`, `ragedge_cpu_throttled{kind="hot"} 0`,
					`ragedge_cpu_frequency_hz 1500000000`, `ragedge_soc_temperature_celsius 48.312`,
				} {
					require.Contains(t, text, line)
				}

				board.set(piThrottled, "50000")
				time.Sleep(powerEvery)
				synctest.Wait()
				require.Less(t, ticks(4), 5)
				require.Equal(t, policy == ThrottleStepDown, l.Status().Power.SteppedDown, "not yet")
				ticks(2)
				require.Equal(t, 6, ticks(6), "a minute later every tick counts again")
				require.False(t, l.Status().Power.SteppedDown)
				require.Equal(t, []string{undervoltage, throttled}, l.Status().Power.SinceBoot)
				require.Empty(t, l.results.last(t).Degraded)
				require.NoError(t, stop())
				require.Contains(t, logged.String(), "look at the power supply and its cable")
				require.Contains(t, logged.String(), "power and heat are well again")
			})
		})
	}
}

// TestRow61ReplayIsNotThrottled: what a recording gives does not depend on the
// machine that replays it.
func TestRow61ReplayIsNotThrottled(t *testing.T) {
	cool := replayRoom(t, roomConfig(t, false))
	onBoard(t, piSys(map[string]string{piThrottled: "f"}))
	require.Equal(t, cool, replayRoom(t, roomConfig(t, false)))
}

func TestThrottleWords(t *testing.T) {
	c := DefaultConfig()
	require.Equal(t, ThrottleStepDown, c.Agent.Throttle)
	c.Agent.Throttle = "panic"
	require.ErrorContains(t, c.Check(), `throttle: unknown value "panic" (known: step-down, ignore)`)
	require.True(t, strings.HasPrefix(about("agent.throttle").about, "What to do"))
}
