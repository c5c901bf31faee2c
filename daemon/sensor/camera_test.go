package sensor

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/encoder"
)

// halves is a picture whose left and right halves have one brightness each.
func halves(left, right uint8) []byte {
	picture := image.NewGray(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			v := left
			if x >= 32 {
				v = right
			}
			picture.SetGray(x, y, color.Gray{Y: v})
		}
	}
	var b bytes.Buffer
	jpeg.Encode(&b, picture, &jpeg.Options{Quality: 100}) // into memory, it cannot fail
	return b.Bytes()
}

// shown writes a stream to a file, for a command to print.
func shown(t *testing.T, parts ...[]byte) string {
	file := filepath.Join(t.TempDir(), "stream")
	require.NoError(t, os.WriteFile(file, bytes.Join(parts, nil), 0o600))
	return file
}

func watching(script string) Config {
	return Config{Alias: "cam", Type: Camera, Command: []string{"/bin/sh", "-c", script}, Grid: "2x2", Interval: encoder.Duration(20 * time.Millisecond)}
}

// What is corrupt is told and gone over.
func TestCameraReadsACommand(t *testing.T) {
	white, left := shown(t, halves(255, 255)), shown(t, halves(255, 0))
	damaged := halves(255, 255)
	damaged[4], damaged[5] = 0, 1 // a segment that is shorter than its length
	r := runProgram(t, watching("cat "+white+"; sleep 0.2; cat "+left+"; sleep 0.2; cat "+shown(t, damaged)+"; sleep 0.2; cat "+white+"; exec sleep 60"))
	until(t, func() bool { return len(r.log.values()) == 5+6+6 })
	values := r.log.byChannel()
	require.InDeltaSlice(t, []float64{1, 0.5, 1}, values["cam.brightness"], 0.01)
	require.InDeltaSlice(t, []float64{0.5, 0.5}, values["cam.motion"], 0.01, "the first picture has none")
	require.InDeltaSlice(t, []float64{1, 1, 1}, values["cam.patch3"], 0.01)
	require.InDeltaSlice(t, []float64{1, 0, 1}, values["cam.patch4"], 0.01)
	require.Len(t, r.log.errors(), 1)
	require.ErrorContains(t, r.log.errors()[0], "corrupt JPEG: a segment of 1 bytes")
	r.end(t)
}

// Pictures that come too early are counted and not looked at.
func TestCameraSkips(t *testing.T) {
	c := watching("cat " + shown(t, bytes.Repeat(halves(0, 0), 50)) + "; exec sleep 60")
	c.Interval = encoder.Duration(time.Hour)
	r := runProgram(t, c)
	until(t, func() bool { return r.Skipped() == 49 })
	require.Len(t, r.log.all(), 1)
	r.end(t)
}

// TestRow40CameraTimeout: a camera whose pictures stop is begun again.
func TestRow40CameraTimeout(t *testing.T) {
	c := watching("cat " + shown(t, halves(0, 0)) + "; exec sleep 60")
	c.Timeout = encoder.Duration(300 * time.Millisecond)
	r := runProgram(t, c)
	until(t, func() bool { return len(r.log.errors()) > 0 })
	require.ErrorIs(t, r.log.errors()[0], ErrTimeout)
	require.ErrorContains(t, r.log.errors()[0], "no picture in 300ms")
	until(t, func() bool { return r.Starts() >= 2 && len(r.log.byChannel()["cam.brightness"]) >= 2 })
	r.end(t)
}

func TestJPEGStream(t *testing.T) {
	a, b := halves(0, 255), halves(100, 200)
	// A picture with another in its APP1 segment, as cameras store thumbnails.
	nested := bytes.Join([][]byte{a[:2], {0xff, 0xe1, byte((len(b) + 2) >> 8), byte(len(b) + 2)}, b, a[2:]}, nil)
	header := []byte("--frame\r\nContent-Type: image/jpeg\r\n\r\n")
	for name, c := range map[string]struct {
		stream [][]byte
		want   [][]byte
		errs   int
	}{
		"plain":         {[][]byte{a, b, a}, [][]byte{a, b, a}, 0},
		"multipart":     {[][]byte{header, a, header, b}, [][]byte{a, b}, 0},
		"thumbnail":     {[][]byte{nested, b}, [][]byte{nested, b}, 0},
		"fill bytes":    {[][]byte{a[:2], {0xff, 0xff}, a[2:]}, [][]byte{append(append([]byte{}, a[:2]...), a[2:]...)}, 0},
		"cut in a scan": {[][]byte{a[:len(a)-10], b, a}, [][]byte{b, a}, 1},
		"cut off":       {[][]byte{a, b[:100]}, [][]byte{a}, 0},
		"no JPEG":       {[][]byte{bytes.Repeat([]byte{0xff, 0}, 1000)}, nil, 0},
		"too long":      {[][]byte{a[:len(a)-2], make([]byte, maxJPEG), {0xff, markerEnd}, b}, [][]byte{b}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newJPEGStream(iotest.HalfReader(bytes.NewReader(bytes.Join(c.stream, nil))))
			var got [][]byte
			errs := 0
			for {
				data, err := s.next()
				if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
					break
				}
				if err != nil {
					require.ErrorIs(t, err, errCorrupt)
					errs++
					continue
				}
				got = append(got, bytes.Clone(data))
			}
			require.Equal(t, c.errs, errs)
			require.Equal(t, len(c.want), len(got))
			for i := range got {
				require.True(t, bytes.Equal(c.want[i], got[i]), i)
			}
		})
	}
}

// Whatever comes, the stream ends with the input and holds no more than a picture.
func FuzzJPEGStream(f *testing.F) {
	f.Add(halves(1, 2))
	f.Add([]byte{0xff, 0xd8, 0xff, 0xd8, 0xff, 0xda, 0, 2, 0xff, 0xff, 0xd9})
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newJPEGStream(bytes.NewReader(data))
		for range len(data) + 1 {
			frame, err := s.next()
			if err != nil && !errors.Is(err, errCorrupt) {
				return
			}
			require.LessOrEqual(t, len(frame), maxJPEG)
		}
		require.Fail(t, "more pictures than bytes")
	})
}

func TestSightRefuses(t *testing.T) {
	c := watching("").WithDefaults()
	s, values := newSight(&c), make([]float64, 6)
	large := halves(0, 0)
	at := bytes.Index(large, []byte{0xff, 0xc0})
	copy(large[at+5:], []byte{0x10, 0, 0x10, 0}) // 4096 × 4096
	require.ErrorContains(t, s.see(Picture{JPEG: large}, values), "a picture of 4096 × 4096 pixels: 1920 × 1080 are the most")
	require.ErrorContains(t, s.see(Picture{JPEG: []byte{}}, values), "a picture that is no JPEG")
	require.ErrorContains(t, s.see(Picture{JPEG: halves(0, 0)[:300]}, values), "a picture that is no JPEG")
	require.ErrorIs(t, s.see(Picture{luma: luma{make([]byte, 99), 10, 10, 10, 1}}, values), errTooSmall)
	require.ErrorIs(t, s.see(Picture{}, values), errTooSmall)
	require.NoError(t, s.see(Picture{luma: luma{make([]byte, 100), 10, 10, 10, 1}}, values))
	require.NoError(t, s.see(Picture{luma: luma{make([]byte, 1), 1, 1, 1, 1}}, values), "smaller than the grid")

	picture := Picture{luma: luma{make([]byte, 320*240*2), 320, 240, 640, 2}}
	require.Zero(t, testing.AllocsPerRun(5, func() { s.see(picture, values) }), "without a JPEG nothing is allocated")
}

// YUYV has the brightness in every other byte.
func TestLumaOfYUYV(t *testing.T) {
	pix := make([]byte, 40*20)
	for i := range pix {
		pix[i] = 77 // colour
		if i%2 == 0 {
			pix[i] = 0
			if i%40 >= 20 {
				pix[i] = 255
			}
		}
	}
	l := luma{pix, 20, 20, 40, 2}
	require.NoError(t, l.check())
	got := make([]float64, 4)
	l.patches(2, 2, got)
	require.Equal(t, []float64{0, 1, 0, 1}, got)
}

// fakeCamera delivers what it is told to.
type fakeCamera struct {
	mu             sync.Mutex
	pictures       []Picture
	fails, busy    error // of Picture, and of opening
	opened, closed int
}

func (c *fakeCamera) open(string) (CameraDevice, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy != nil {
		return nil, &os.PathError{Op: "ioctl", Path: "/dev/video0", Err: c.busy}
	}
	c.opened++
	return c, nil
}

func (c *fakeCamera) Picture(wait time.Duration) (Picture, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pictures) > 0 {
		p := c.pictures[0]
		c.pictures = c.pictures[1:]
		return p, nil
	}
	if c.fails != nil {
		return Picture{}, &os.PathError{Op: "ioctl", Path: "/dev/video0", Err: c.fails}
	}
	time.Sleep(time.Millisecond)
	return Picture{}, ErrTimeout
}

func (c *fakeCamera) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed++
	return nil
}

// A camera that is pulled out is unplugged, and opened again when it is back.
func TestCameraDevice(t *testing.T) {
	camera := &fakeCamera{pictures: []Picture{{JPEG: halves(255, 0)}}, fails: syscall.ENODEV}
	h := Hardware{Camera: camera.open, Sysfs: tree(map[string]string{
		"class/video4linux/video0/name": "UVC Camera (046d:0825)\n", "class/video4linux/video0/index": "0\n",
		"class/video4linux/video1/name": "UVC Camera (046d:0825)\n", "class/video4linux/video1/index": "1\n",
	})}
	r := runOn(t, h, Config{Alias: "cam", Type: Camera, Device: "UVC Camera (046d:0825)", Channels: map[string]string{"brightness": "light"}})
	until(t, func() bool { return len(r.log.errors()) > 0 })
	require.InDelta(t, 0.5, r.log.byChannel()["light"][0], 0.01)
	require.ErrorIs(t, r.log.errors()[0], ErrUnplugged)
	camera.mu.Lock()
	require.Equal(t, camera.opened, camera.closed)
	camera.pictures, camera.fails = []Picture{{JPEG: halves(255, 255)}}, nil
	camera.mu.Unlock()
	until(t, func() bool { return len(r.log.values()) == 2 })
	r.end(t)
	require.Equal(t, camera.opened, camera.closed)
}

// TestRow40Busy: a camera that another program has is named as such, and is opened
// once it is free.
func TestRow40Busy(t *testing.T) {
	camera := &fakeCamera{busy: syscall.EBUSY, pictures: []Picture{{JPEG: halves(255, 255)}}}
	r := runOn(t, Hardware{Camera: camera.open}, Config{Alias: "cam", Type: Camera, Device: "/dev/video0"})
	until(t, func() bool { return len(r.log.errors()) > 0 })
	require.ErrorContains(t, r.log.errors()[0], "device or resource busy: another program has the camera")
	camera.mu.Lock()
	camera.busy = nil
	camera.mu.Unlock()
	until(t, func() bool { return len(r.log.values()) == 1 })
	r.end(t)
}

func TestCameraDeviceFails(t *testing.T) {
	sysfs := tree(map[string]string{"class/video4linux/video0/name": "A\n", "class/video4linux/video2/name": "B\n", "class/video4linux/video4/name": "B\n"})
	for _, c := range []struct {
		camera *fakeCamera
		device string
		want   string
		is     error
	}{
		{&fakeCamera{busy: syscall.EBUSY}, "/dev/video0", "another program has the camera", nil},
		{&fakeCamera{busy: syscall.EACCES}, "/dev/video0", "add this user to the group", nil},
		{&fakeCamera{busy: syscall.ENOENT}, "/dev/video0", "no such file", ErrUnplugged},
		{&fakeCamera{}, "C", "no camera is called C, only: A, B", ErrUnplugged},
		{&fakeCamera{}, "B", "2 cameras are called B: set device to one of /dev/video2, /dev/video4", nil},
		{&fakeCamera{}, "A", "no picture in 50ms", ErrTimeout},
	} {
		r := runOn(t, Hardware{Camera: c.camera.open, Sysfs: sysfs}, Config{Alias: "cam", Type: Camera, Device: c.device, Timeout: encoder.Duration(50 * time.Millisecond)})
		until(t, func() bool { return len(r.log.errors()) > 0 })
		require.ErrorContains(t, r.log.errors()[0], c.want)
		if c.is != nil {
			require.ErrorIs(t, r.log.errors()[0], c.is)
		}
		r.end(t)
	}
}

func TestCameraCheck(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Device = "" }, `device: required: a file such as "/dev/video0"`},
		{func(c *Config) { c.Command = []string{"/bin/cat"} }, "device: the command says where pictures come from"},
		{func(c *Config) { c.Device, c.Command = "", []string{"cat"} }, `command: "cat" is not an absolute path`},
		{func(c *Config) { c.Grid = "4" }, `grid: "4" is not rows and columns, 1 to 16 each, as in "4x6"`},
		{func(c *Config) { c.Grid = "0x4" }, `grid: "0x4" is not`},
		{func(c *Config) { c.Grid = "4x17" }, `grid: "4x17" is not`},
		{func(c *Config) { c.Interval = 1 }, "interval: 1ns is not in 20ms to 1h0m0s"},
		{func(c *Config) { c.Channels = map[string]string{"patch1": "x"} }, `channels: camera has no reading "patch1", only: brightness (0 to 1), motion (0 to 1)`},
		{func(c *Config) { c.StartupError = "never" }, `startup_error: "never" is not one of`},
	} {
		config := Config{Alias: "cam", Type: Camera, Device: "/dev/video0"}
		c.change(&config)
		require.ErrorContains(t, config.Check(), c.want)
	}
	c := Config{Alias: "cam", Type: Camera, Device: "/dev/video0", Grid: "2x3"}
	require.NoError(t, c.Check())
	require.Equal(t, "cam.brightness cam.motion cam.patch1 cam.patch2 cam.patch3 cam.patch4 cam.patch5 cam.patch6", strings.Join(c.ChannelNames(), " "))
	require.Equal(t, "camera /dev/video0", c.Place())
}

// The pictures that are looked at keep to the interval; one that is a little early
// is in time, and what was missed is not made up for.
func TestSightWants(t *testing.T) {
	c := Config{Type: Camera, Interval: encoder.Duration(800 * time.Millisecond)}.WithDefaults()
	s := newSight(&c)
	var wanted []time.Duration
	for _, at := range []time.Duration{5000, 5100, 5700, 5795, 6595, 6700, 9000, 9100, 9800} {
		if s.wants(at * time.Millisecond) {
			wanted = append(wanted, at)
		}
	}
	require.Equal(t, []time.Duration{5000, 5700, 6595, 9000, 9800}, wanted)
}

// A reason goes out with Results: the password of a camera on the network does not.
func TestCameraKeepsPasswords(t *testing.T) {
	r := runProgram(t, watching("echo 'rtsp://me:secret@10.0.0.2/live: Connection refused' >&2; exit 1"))
	until(t, func() bool { return len(r.log.errors()) > 0 })
	require.ErrorContains(t, r.log.errors()[0], "it said: rtsp://***@10.0.0.2/live: Connection refused")
	require.NotContains(t, r.log.errors()[0].Error(), "secret")
	r.end(t)
}
