package sensor

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/require"
)

// A Raspberry Pi with a USB microphone and a USB camera, whose second node has no
// pictures, and the Pi's own parts.
func TestScanFindsMedia(t *testing.T) {
	proc := fstest.MapFS{
		"asound/cards": {Data: []byte(` 0 [Headphones     ]: bcm2835_headphon - bcm2835 Headphones
                      bcm2835 Headphones
 1 [Device         ]: USB-Audio - USB PnP Sound Device
                      C-Media Electronics Inc. USB PnP Sound Device at usb-3f980000.usb-1.2, full speed
12 [array          ]: array - four microphones
                      array
`)},
		"asound/pcm": {Data: []byte(`00-00: bcm2835 Headphones : bcm2835 Headphones : playback 8
01-00: USB Audio : USB Audio : playback 1 : capture 1
12-03: array : array : capture 1
99-00: gone : gone : capture 1
`)},
	}
	sysfs := tree(map[string]string{
		"class/video4linux/video0/name":  "UVC Camera (046d:0825)\n",
		"class/video4linux/video0/index": "0\n",
		"class/video4linux/video1/name":  "UVC Camera (046d:0825)\n",
		"class/video4linux/video1/index": "1\n",
		"class/video4linux/video2/name":  "twin\n",
		"class/video4linux/video3/name":  "twin\n",
		"class/video4linux/video4/name":  "unicam-image\n",
		"class/video4linux/video5/name":  "locked\n",
		"class/video4linux/video13/name": "bcm2835-isp-output0\n",
	})
	h := Hardware{Sysfs: sysfs, Proc: proc, Lines: func() []string { return nil }, Pictures: func(path string) ([]string, error) {
		switch path {
		case "/dev/video4":
			return nil, nil
		case "/dev/video5":
			return nil, syscall.EACCES
		case "/dev/video13":
			return nil, errors.New("nobody asks this one")
		}
		return []string{"YUYV", "MJPG"}, nil
	}}
	s := h.Look(nil)
	var text strings.Builder
	for _, f := range s.Found {
		require.NoError(t, f.Config.Check())
		require.NoError(t, f.Config.WriteTOML(&text))
	}
	require.Equal(t, `[[sensor]]
alias = "device"
type = "audio"
device = "plughw:CARD=Device"
[[sensor]]
alias = "array"
type = "audio"
device = "plughw:CARD=array,DEV=3"
[[sensor]]
alias = "camera"
type = "camera"
device = "UVC Camera (046d:0825)"
[[sensor]]
alias = "camera-2"
type = "camera"
device = "/dev/video2"
[[sensor]]
alias = "camera-3"
type = "camera"
device = "/dev/video3"
`, text.String())
	require.Equal(t, "microphone: USB PnP Sound Device", s.Found[0].Note)
	require.Equal(t, "camera UVC Camera (046d:0825): YUYV, MJPG", s.Found[2].Note)
	require.Equal(t, []string{
		"no I2C bus: switch one on (on a Raspberry Pi dtparam=i2c_arm=on) and load the module i2c-dev",
		`/dev/video4 (unicam-image) has no pictures in a format that can be read: use type = "camera" with a command such as rpicam-vid or ffmpeg`,
		"camera /dev/video5 (locked): permission denied: add this user to the group of /dev/video*",
	}, s.Notes)

	var file struct {
		Sensors []Config `toml:"sensor"`
	}
	require.NoError(t, toml.Unmarshal([]byte(text.String()), &file))
	for i, f := range s.Found {
		require.Equal(t, f.Config, file.Sensors[i], "what is printed can be pasted")
	}
}
