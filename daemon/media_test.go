package daemon

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/jpeg"
	"strings"
	"testing"
	"time"

	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/stretchr/testify/require"
)

// A microphone and a camera are sensors like others: their readings come in, a
// device that is not there is down, and pictures that were not looked at are
// counted.
func TestMicrophoneAndCamera(t *testing.T) {
	var picture bytes.Buffer
	require.NoError(t, jpeg.Encode(&picture, image.NewGray(image.Rect(0, 0, 32, 24)), nil))
	shell := func(script string) []string { return []string{"/bin/sh", "-c", script} }
	text := base64.StdEncoding.EncodeToString(picture.Bytes())
	d, err := New(quiet(
		sensor.Config{Alias: "mic", Type: sensor.Audio, Mels: 4, Command: shell("head -c 32000 /dev/zero; exec sleep 60"), Timeout: encoder.Duration(time.Minute)},
		sensor.Config{Alias: "cam", Type: sensor.Camera, Interval: encoder.Duration(time.Minute), Command: shell("for i in 1 2 3; do echo " + text + " | base64 -d; done; exec sleep 60"), Timeout: encoder.Duration(time.Minute)},
		sensor.Config{Alias: "gone", Type: sensor.Camera, Device: "/dev/no-such-camera"},
	), Environment{Notify: &notes{}})
	require.NoError(t, err)
	stop := run(t, d)
	metrics := func() string {
		var b strings.Builder
		d.WriteMetrics(&b)
		return b.String()
	}
	require.Eventually(t, func() bool {
		s := d.pipeline.sensorStatus(d.current.Load().sensors)
		return s[0].Reads == 10 && s[1].State == "up" && s[2].State == "down" && strings.Contains(metrics(), `ragedge_sensor_pictures_skipped_total{sensor="cam"} 2`)
	}, 10*time.Second, time.Millisecond)
	s := d.pipeline.sensorStatus(d.current.Load().sensors)
	require.Equal(t, "up", s[0].State)
	require.Contains(t, s[2].Reason, "unplugged: open /dev/no-such-camera: no such file or directory")
	require.NoError(t, stop())
}
