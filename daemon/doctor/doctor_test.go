package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/stretchr/testify/require"
)

// owner is what Sys of a file says in these tests.
type owner struct{ uid, gid int }

const (
	groupI2C    = 101
	groupGPIO   = 102
	groupVideo  = 44
	groupDaemon = 900
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o644} }

func device(gid int, mode fs.FileMode) *fstest.MapFile {
	return &fstest.MapFile{Mode: fs.ModeDevice | mode, Sys: owner{0, gid}}
}

func link(to string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink | 0o777}
}

// healthy is a Raspberry Pi with everything switched on.
func healthy() fstest.MapFS {
	return fstest.MapFS{
		"etc/passwd":                                   file("root:x:0:0:::\nragedge:x:900:900::/var/lib/ragedge:\nann:x:1000:1000:::\n"),
		"etc/group":                                    file("root:x:0:\ni2c:x:101:\nspi:x:103:\niio:x:104:\ngpio:x:102:\nvideo:x:44:\nragedge:x:900:\n"),
		"proc/devices":                                 file("Character devices:\n 89 i2c\n153 spi\n254 gpiochip\n 81 video4linux\n\nBlock devices:\n  8 sd\n"),
		"proc/device-tree/model":                       file("Raspberry Pi 4 Model B Rev 1.4\x00"),
		"usr/lib/modules-load.d/ragedge.conf":          file("# x\ni2c-dev\n"),
		"boot/firmware/config.txt":                     file("# all\n"),
		"dev/i2c-1":                                    device(groupI2C, 0o660),
		"dev/spidev0.0":                                device(103, 0o660),
		"dev/gpiochip0":                                device(groupGPIO, 0o660),
		"sys/class/rtc/rtc0":                           file(""),
		"run/ragedge/api.sock":                         {Mode: fs.ModeSocket | 0o660, Sys: owner{900, groupDaemon}},
		governors[1:] + "scaling_governor":             file("ondemand\n"),
		throttledFile[1:]:                              file("0\n"),
		"sys/bus/i2c/devices/i2c-1":                    link("../../../devices/platform/soc/fe804000.i2c/i2c-1"),
		"sys/devices/platform/soc/fe804000.i2c/driver": link("../../../../bus/platform/drivers/i2c-bcm2835"),
		"sys/bus/platform/drivers/i2c-bcm2835/module":  link("../../../../module/i2c_bcm2835"),
		"sys/class/thermal/thermal_zone0/type":         file("cpu-thermal\n"),
		"sys/bus/iio/devices/iio:device0/name":         file("scd4x\n"),
		"var/lib/ragedge/recordings":                   {Mode: fs.ModeDir | 0o750, Sys: owner{900, groupDaemon}},
	}
}

// shown is what systemctl says of our unit.
const shown = `LoadState=loaded
ActiveState=inactive
Result=success
ExecMainStatus=0
NeedDaemonReload=no
User=ragedge
Group=ragedge
SupplementaryGroups=i2c spi gpio iio
DevicePolicy=closed
DeviceAllow=char-i2c rw
DeviceAllow=char-spi rw
DeviceAllow=char-spidev rw
DeviceAllow=char-gpiochip rw
DeviceAllow=char-iio rw
PrivateDevices=no
PrivateNetwork=no
IPAddressAllow=127.0.0.0/8 ::1/128
IPAddressDeny=0.0.0.0/0 ::/0
MemoryHigh=50331648
MemoryMax=67108864
`

const light = `[[sensor]]
alias = "desk"
type = "i2c"
driver = "bh1750"
bus = "1"
`

// chips is a bus where these addresses answer, and the others as errno says.
type chips struct {
	answer map[uint16]bool
	errno  error
	hang   chan struct{}
	asked  []uint16
	sent   int // bytes
}

func (b *chips) Tx(address uint16, w, _ []byte) error {
	b.asked = append(b.asked, address)
	b.sent += len(w)
	if b.hang != nil {
		<-b.hang
	}
	if b.answer[address] {
		return nil
	}
	return fmt.Errorf("sysfs-i2c: %w", b.errno)
}

func (*chips) Close() error { return nil }

// fakeLine is a GPIO line that can be had.
type fakeLine struct{ sensor.Line }

func (fakeLine) Close() error { return nil }

var errNoDaemon = fmt.Errorf("%w: no daemon answers at /run/ragedge/api.sock", daemon.ErrTryAgain)

// scene is a machine with at most a few things wrong, and what must be found.
type scene struct {
	name   string
	config string
	files  fstest.MapFS      // in place of the healthy ones; nil takes one away
	unit   map[string]string // properties that are other ones
	edit   func(t testing.TB, m *Machine, c *Case)
	want   Finding // Why need only contain it
	none   string  // What no finding may contain
}

func status(states ...api.SensorStatus) func(testing.TB, *Machine, *Case) {
	return func(_ testing.TB, m *Machine, c *Case) {
		c.Silence, c.Status = nil, &api.Status{State: api.StateUp, KernelSet: "neon", TimeQuality: "ntp", RSSBytes: 9 << 20, Sensors: states}
		m.Hardware.I2C = func(string) (sensor.Bus, error) { panic("the daemon has the bus") }
		m.Hardware.GPIO = func(sensor.LineRequest) (sensor.Line, error) { panic("the daemon has the line") }
		m.Open = func(string) error { panic("the daemon has the device") }
	}
}

// examine sets a scene up and looks at it.
func (s *scene) examine(t testing.TB) []Finding {
	root := healthy()
	for name, f := range s.files {
		delete(root, name)
		if f != nil {
			root[name] = f
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "ragedge.toml")
	require.NoError(t, os.WriteFile(path, []byte(s.config), 0o600))
	config, err := daemon.LoadConfig(path, "")
	require.NoError(t, err)
	require.NoError(t, config.Check())

	unit := shown
	for key, value := range s.unit {
		var lines []string
		for line := range strings.Lines(unit) {
			if !strings.HasPrefix(line, key+"=") {
				lines = append(lines, line)
			}
		}
		unit = strings.Join(lines, "")
		if value != "" {
			unit += key + "=" + value + "\n"
		}
	}
	m := Machine{
		Root: root,
		Open: func(string) error { return nil },
		Owner: func(info fs.FileInfo) (uid, gid int, ok bool) {
			o, ok := info.Sys().(owner)
			return o.uid, o.gid, ok
		},
		Major: func(info fs.FileInfo) (int, bool) {
			n, ok := map[string]int{"i2c-1": 89, "spidev0.0": 153, "gpiochip0": 254, "video0": 81}[info.Name()]
			return n, ok
		},
		Hardware: sensor.Hardware{
			I2C: func(string) (sensor.Bus, error) {
				return &chips{answer: map[uint16]bool{0x23: true}, errno: syscall.EREMOTEIO}, nil
			},
			GPIO:  func(sensor.LineRequest) (sensor.Line, error) { return fakeLine{}, nil },
			Lines: func() []string { return []string{"GPIO17", "GPIO27", "ID_SDA"} },
		},
		Systemctl: func(context.Context, ...string) (string, error) { return unit, nil },
		LookPath:  func(name string) (string, error) { return name, nil },
		LookupHost: func(_ context.Context, host string) ([]string, error) {
			return []string{host}, nil
		},
		Free:         func(string) (int64, error) { return 8 << 30, nil },
		Synchronised: func() bool { return true },
		Patience:     2 * time.Second,
	}
	c := Case{
		Config: &config, File: "/etc/ragedge/ragedge.toml", Silence: errNoDaemon,
		Kernels: Kernels{Set: "neon", Sets: []string{"neon", "generic"}},
	}
	if s.edit != nil {
		s.edit(t, &m, &c)
	}
	return Examine(t.Context(), m, c)
}

// check examines a scene and looks for what it wants.
func (s *scene) check(t *testing.T) {
	found := s.examine(t)
	if s.none != "" {
		for _, f := range found {
			require.NotContains(t, f.What, s.none)
		}
	}
	if s.want.What == "" {
		return
	}
	for _, f := range found {
		if f.What == s.want.What {
			require.Equal(t, s.want.Severity, f.Severity)
			require.Contains(t, f.Why, s.want.Why)
			require.Equal(t, s.want.Fix, f.Fix)
			return
		}
	}
	t.Fatalf("nothing says %q:\n%+v", s.want.What, found)
}

// TestHealthy: where nothing is wrong, nothing is said to be.
func TestHealthy(t *testing.T) {
	everything := light + `[[sensor]]
alias = "door"
type = "gpio"
line = "GPIO17"
[[sensor]]
alias = "cpu"
type = "hwmon"
driver = "cpu-thermal"
[[sensor]]
alias = "air"
type = "iio"
driver = "scd4x"
channels = { temp = "air.temp" }
[record]
when = "always"
`
	s := scene{config: everything}
	for _, f := range s.examine(t) {
		if f.Severity != OK {
			require.Equal(t, "the service is not started", f.What)
		}
	}
	up := func(alias string) api.SensorStatus {
		return api.SensorStatus{Alias: alias, State: api.StateUp, Reads: 3}
	}
	s = scene{config: everything, unit: map[string]string{"ActiveState": "active"}, edit: status(up("desk"), up("door"), up("cpu"), up("air"))}
	for _, f := range s.examine(t) {
		require.Equal(t, OK, f.Severity, "%+v", f)
	}
}

func TestScenes(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range allScenes() {
		require.False(t, seen[s.name], s.name)
		seen[s.name] = true
		t.Run(s.name, s.check)
	}
}

// The real machine, whatever it is, does not stop the doctor.
func TestRealMachine(t *testing.T) {
	config := daemon.DefaultConfig()
	found := Examine(t.Context(), Machine{}, Case{Config: &config, Silence: errors.New("not asked"), Kernels: Kernels{Sets: []string{"generic"}}})
	require.NotEmpty(t, found)
}

func TestOrderAndMerge(t *testing.T) {
	got := sorted(merged([]Finding{
		{Severity: OK, What: "sensor a: up"},
		{Severity: Note, What: "n"},
		{Severity: Problem, What: "sensor a: off", Fix: []string{"x"}},
		{Severity: Problem, What: "sensor b: off", Fix: []string{"x"}},
		{Severity: Problem, What: "sensor c: off", Fix: []string{"y"}},
		{Severity: OK, What: "sensor d: up"},
	}))
	var what []string
	for _, f := range got {
		what = append(what, f.What)
	}
	require.Equal(t, []string{"sensors a, b: off", "sensor c: off", "n", "sensor a: up", "sensor d: up"}, what)
}

func TestClosest(t *testing.T) {
	names := []string{"GPIO17", "GPIO27", "GPIO4", "ID_SDA"}
	require.Equal(t, []string{"GPIO17"}, closest("gpio-17", names))
	require.Equal(t, []string{"GPIO17", "GPIO27"}, closest("GPIO37", names))
	require.Empty(t, closest("doorbell", names))
}

// The search for what answers reads at addresses of known chips, and leaves alone
// those that a driver of the kernel has. It writes nothing.
func TestSearchIsCareful(t *testing.T) {
	b := &chips{errno: syscall.EREMOTEIO}
	s := scene{config: light, edit: bus(b), files: fstest.MapFS{
		"sys/bus/i2c/devices/1-0076/driver": link("../../../bus/i2c/drivers/bmp280"),
	}}
	s.examine(t)
	require.Greater(t, len(b.asked), 10)
	require.Contains(t, b.asked, uint16(0x77))
	require.NotContains(t, b.asked, uint16(0x76), "the kernel's")
	require.NotContains(t, b.asked, uint16(0x2f), "no known chip")
	require.Zero(t, b.sent)
}
