package sensor

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ragedge/ragedge/encoder"
)

// shaker is the directory of an accelerometer with a buffer, on disk since it is
// written to, and a FIFO in the place of its device.
type shaker struct {
	t        *testing.T
	dir      string
	hardware Hardware
	fifo     *os.File
	refuses  error // what writing to sysfs ends with
}

const shakerDir = "bus/iio/devices/iio:device0"

func newShaker(t *testing.T) *shaker {
	s := &shaker{t: t, dir: t.TempDir()}
	for name, text := range map[string]string{
		"iio:device0/name":                             "lis3dh\n",
		"iio:device0/in_accel_x_raw":                   "0\n",
		"iio:device0/in_accel_scale":                   "0.01\n",
		"iio:device0/in_accel_z_offset":                "100\n",
		"iio:device0/buffer/enable":                    "0\n",
		"iio:device0/buffer/length":                    "2\n",
		"iio:device0/trigger/current_trigger":          "\n",
		"iio:device0/current_timestamp_clock":          "monotonic\n",
		"iio:device0/scan_elements/in_accel_x_en":      "0\n",
		"iio:device0/scan_elements/in_accel_x_index":   "0\n",
		"iio:device0/scan_elements/in_accel_x_type":    "le:s12/16>>4\n",
		"iio:device0/scan_elements/in_accel_y_en":      "1\n",
		"iio:device0/scan_elements/in_accel_y_index":   "1\n",
		"iio:device0/scan_elements/in_accel_y_type":    "le:s12/16>>4\n",
		"iio:device0/scan_elements/in_accel_z_en":      "0\n",
		"iio:device0/scan_elements/in_accel_z_index":   "2\n",
		"iio:device0/scan_elements/in_accel_z_type":    "be:s16/32>>0\n",
		"iio:device0/scan_elements/in_timestamp_en":    "0\n",
		"iio:device0/scan_elements/in_timestamp_index": "3\n",
		"iio:device0/scan_elements/in_timestamp_type":  "le:s64/64>>0\n",
		"trigger0/name":                                "lis3dh-dev0\n",
	} {
		file := filepath.Join(s.dir, "bus/iio/devices", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	pipe := filepath.Join(s.dir, "iio:device0")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	var err error
	s.fifo, err = os.OpenFile(pipe, os.O_RDWR, 0) // both ends, so that it does not end
	require.NoError(t, err)
	t.Cleanup(func() { s.fifo.Close() })
	s.hardware = Hardware{
		Sysfs: os.DirFS(s.dir),
		SetSysfs: func(name, value string) error {
			if s.refuses != nil {
				return &os.PathError{Op: "write", Path: "/sys/" + name, Err: s.refuses}
			}
			return os.WriteFile(filepath.Join(s.dir, name), []byte(value+"\n"), 0)
		},
		Scans: func(name string) (Scans, error) { return openScans(filepath.Join(s.dir, name)) },
	}
	return s
}

func (s *shaker) says(name string) string {
	text, err := os.ReadFile(filepath.Join(s.dir, shakerDir, name))
	require.NoError(s.t, err)
	return strings.TrimSpace(string(text))
}

func (s *shaker) set(name, value string) {
	require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, shakerDir, name), []byte(value+"\n"), 0))
}

// scan adds one of x, z and the time, in the kernel's order and with its padding.
func scan(all []byte, x, z int16, at int64) []byte {
	data := make([]byte, 16)
	binary.LittleEndian.PutUint16(data, uint16(x<<4|7))
	binary.BigEndian.PutUint32(data[4:], uint32(uint16(z)))
	binary.LittleEndian.PutUint64(data[8:], uint64(at))
	return append(all, data...)
}

// comes lets scans come, all at once.
func (s *shaker) comes(scans []byte) {
	_, err := s.fifo.Write(scans)
	require.NoError(s.t, err)
}

func shaking() Config {
	return Config{
		Alias: "shake", Type: IIO, Driver: "lis3dh", Trigger: "lis3dh-dev0", Buffer: 4,
		Interval: encoder.Duration(10 * time.Millisecond), Channels: map[string]string{"accel_x": "x", "accel_z": "z"},
	}
}

func TestIIOBuffer(t *testing.T) {
	s := newShaker(t)
	r := runOn(t, s.hardware, shaking())
	require.Empty(t, NewPollers([]Config{shaking()}, nil, s.hardware), "not polled as well")
	until(t, func() bool { return s.says("buffer/enable") == "1" })
	require.Equal(t, "1 0 1 1", s.says("scan_elements/in_accel_x_en")+" "+s.says("scan_elements/in_accel_y_en")+" "+s.says("scan_elements/in_accel_z_en")+" "+s.says("scan_elements/in_timestamp_en"))
	require.Equal(t, "lis3dh-dev0", s.says("trigger/current_trigger"))
	require.Equal(t, "4", s.says("buffer/length"))

	var now unix.Timespec
	require.NoError(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	for i := range 3 {
		s.comes(scan(nil, int16(-i), 200, now.Nano()-int64(3-i)*int64(time.Second)))
	}
	until(t, func() bool { return len(r.log.values()) == 6 })
	require.InDeltaSlice(t, []float64{0, 3, -0.01, 3, -0.02, 3}, r.log.values(), 1e-12, "scale and offset are applied, the filling is not")
	var at []time.Duration
	for _, reading := range r.log.all() {
		for _, sample := range reading.Samples {
			if sample.Channel == "x" {
				at = append(at, sample.At)
			}
		}
	}
	for i := 1; i < 3; i++ {
		require.InDelta(t, time.Second, at[i]-at[i-1], float64(900*time.Millisecond), "the times are those of the scans, which arrived together")
	}
	require.Zero(t, r.Overruns())

	var many []byte // more than the buffer holds
	for i := range 9 {
		many = scan(many, int16(i), 0, now.Nano())
	}
	s.comes(many)
	until(t, func() bool { return len(r.log.values()) == 6+18 })
	require.Positive(t, r.Overruns())
	r.end(t)
	require.Equal(t, "0", s.says("buffer/enable"), "what was switched on is switched off")
}

// A scan that comes in parts is put together, and one without a time of its own
// gets that of its arrival.
func TestIIOBufferInParts(t *testing.T) {
	s := newShaker(t)
	require.NoError(t, os.Remove(filepath.Join(s.dir, shakerDir, "scan_elements/in_timestamp_en")))
	r := runOn(t, s.hardware, shaking())
	until(t, func() bool { return s.says("buffer/enable") == "1" })
	whole := []byte{0x20, 0, 0, 0, 0, 0, 0, 1}
	for _, b := range append(whole, whole...) {
		s.fifo.Write([]byte{b})
		time.Sleep(time.Millisecond)
	}
	until(t, func() bool { return len(r.log.values()) == 4 })
	require.InDeltaSlice(t, []float64{0.02, 1.01, 0.02, 1.01}, r.log.values(), 1e-12)
	for _, reading := range r.log.all() {
		for _, sample := range reading.Samples {
			require.LessOrEqual(t, sample.At, reading.At)
			require.Positive(t, sample.At)
		}
	}
	r.end(t)
}

// Where sysfs is read-only, a buffer that root arranged is used as it is.
func TestIIOBufferArrangedByRoot(t *testing.T) {
	s := newShaker(t)
	s.refuses = syscall.EROFS
	r := runOn(t, s.hardware, shaking())
	until(t, func() bool { return len(r.log.errors()) > 0 })
	require.ErrorContains(t, r.log.errors()[0], "in_accel_x_en = 1")
	require.ErrorContains(t, r.log.errors()[0], "ReadWritePaths=")
	r.end(t)

	for name, value := range map[string]string{
		"scan_elements/in_accel_x_en": "1", "scan_elements/in_accel_z_en": "1", "buffer/length": "4",
		"trigger/current_trigger": "lis3dh-dev0", "buffer/enable": "1",
	} {
		s.set(name, value)
	}
	r = runOn(t, s.hardware, shaking())
	// x, y and z: y was switched on before and stays.
	s.fifo.Write([]byte{0x20, 0, 0x30, 0, 0, 0, 0, 1})
	until(t, func() bool { return len(r.log.values()) == 2 })
	require.InDeltaSlice(t, []float64{0.02, 1.01}, r.log.values(), 1e-12)
	r.end(t)
	require.Equal(t, "1", s.says("buffer/enable"), "it is root's")
}

func TestIIOBufferFails(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*shaker, *Config)
		want   string
		is     error
	}{
		"gone":      {func(s *shaker, c *Config) { c.Driver = "adxl345" }, "nothing in /sys/bus/iio/devices is called adxl345", ErrUnplugged},
		"no buffer": {func(s *shaker, c *Config) { os.Remove(filepath.Join(s.dir, shakerDir, "buffer/enable")) }, "lis3dh has no buffer: leave trigger and buffer out", nil},
		"trigger": {func(s *shaker, c *Config) {
			s.hardware.SetSysfs = func(name, value string) error {
				if strings.HasSuffix(name, "current_trigger") {
					return &os.PathError{Op: "write", Path: name, Err: syscall.EINVAL}
				}
				return nil
			}
		}, "trigger/current_trigger = lis3dh-dev0", nil},
		"busy":       {func(s *shaker, c *Config) { s.refuses = syscall.EBUSY }, "another program reads the device's buffer", nil},
		"forbidden":  {func(s *shaker, c *Config) { s.refuses = syscall.EACCES }, "add this user to the group iio", nil},
		"no channel": {func(s *shaker, c *Config) { c.Channels["temp"] = "t" }, "the buffer has not all of the channels, only: accel_x, accel_y, accel_z, timestamp", nil},
		"bad type":   {func(s *shaker, c *Config) { s.set("scan_elements/in_accel_x_type", "le:s") }, `accel_x: "le:s" is no type`, nil},
		"repeated":   {func(s *shaker, c *Config) { s.set("scan_elements/in_accel_x_type", "le:s16/16X4>>0") }, "accel_x: 4 values in each scan", nil},
		"silent":     {func(s *shaker, c *Config) { c.Timeout = encoder.Duration(50 * time.Millisecond) }, "the buffer stayed empty for 50ms: is its trigger running?", ErrTimeout},
		"device":     {func(s *shaker, c *Config) { os.Remove(filepath.Join(s.dir, "iio:device0")) }, "no such file", ErrUnplugged},
	} {
		t.Run(name, func(t *testing.T) {
			s, config := newShaker(t), shaking()
			c.change(s, &config)
			r := runOn(t, s.hardware, config)
			until(t, func() bool { return len(r.log.errors()) > 0 })
			require.ErrorContains(t, r.log.errors()[0], c.want)
			if c.is != nil {
				require.ErrorIs(t, r.log.errors()[0], c.is)
			}
			r.end(t)
		})
	}
}

func TestIIOBufferCheck(t *testing.T) {
	c := shaking()
	require.NoError(t, c.Check())
	require.Equal(t, "the buffer of lis3dh", c.Place())
	c.Buffer = 5000
	require.ErrorContains(t, c.Check(), "buffer: 5000 scans are not 2 to 4096")
	c = shaking()
	c.Trigger = "a/b"
	require.ErrorContains(t, c.Check(), `trigger: "a/b" is not the name of a trigger`)
	c.Trigger, c.Buffer = "", 0
	require.NoError(t, c.Check())
	require.Empty(t, c.Place(), "polled")
}

// Times of clocks that are not known, or long ago, are those of the arrival.
func TestIIOClocks(t *testing.T) {
	var s iioScans
	for clock := range clocks {
		_, ok := s.Age(clock, 0)
		require.True(t, ok, clock)
	}
	before := time.Now().Add(-time.Second)
	age, ok := s.Age("realtime", before.UnixNano())
	require.True(t, ok)
	require.InDelta(t, time.Second, age, float64(time.Since(before)-time.Second+100*time.Millisecond), "but for how long the call took")
	_, ok = s.Age("lunar", 0)
	require.False(t, ok)
}

// To empty the buffer allocates nothing.
func TestIIOBufferAllocates(t *testing.T) {
	s := newShaker(t)
	c := shaking()
	p := NewPrograms([]Config{c}, func() time.Duration { return time.Second }, s.hardware, nil)[0]
	scans := &scanner{p: p, dir: shakerDir}
	_, err := scans.arrange()
	require.NoError(t, err)
	device, err := s.hardware.Scans("iio:device0")
	require.NoError(t, err)
	defer device.Close()
	data := make([]byte, 16*4)
	require.Zero(t, testing.AllocsPerRun(20, func() {
		s.fifo.Write(data)
		n, err := device.Read(data, time.Second)
		if n != len(data) || err != nil {
			t.Error(n, err)
		}
		scans.take(data, time.Second, device)
	}))
	require.Len(t, p.samples, 2*4)
}
