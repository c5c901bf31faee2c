package daemon

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/stretchr/testify/require"
)

// TestRecordingsOfTheDaemon: the one at work can be viewed and not fetched, a closed
// one both, and the label that holds is in the status.
func TestRecordingsOfTheDaemon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := quiet(lightSensor(), airSensor())
		c.Record = recordTo(t.TempDir())
		d, err := New(c, Environment{
			Model: tinyModel(t, twoFeatures), Hardware: sensor.Hardware{I2C: (&fakeBus{raw: 600}).open}, Notify: &notes{},
		})
		require.NoError(t, err)
		stop := run(t, d)
		time.Sleep(50 * time.Second)
		synctest.Wait() // the recorder was made by another goroutine
		label := func(l api.Label) { require.NoError(t, d.Label(t.Context(), &l)) }
		label(api.Label{Label: "noon"})
		require.Equal(t, "noon", d.Status().Record.Label)
		label(api.Label{Label: "cloud", To: time.Now().Add(10 * time.Second)})
		require.Equal(t, "cloud", d.Status().Record.Label)
		time.Sleep(20 * time.Second)
		require.Equal(t, "noon", d.Status().Record.Label, "the one from before holds again")
		label(api.Label{End: true})
		require.Empty(t, d.Status().Record.Label)

		view := func(name string) (lines []string) {
			require.NoError(t, d.ViewRecording(t.Context(), name, &api.RecordingView{Every: 10 * time.Second, Lines: 100}, func(line []byte) error {
				lines = append(lines, string(line))
				return nil
			}))
			return lines
		}
		all, err := d.Recordings()
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.True(t, all[0].Open)
		text := strings.Join(view(all[0].File), "\n")
		require.Contains(t, text, `"label":"bright"`)
		require.Contains(t, text, `"readings":{"lux":{"value":500,"age_s":`)
		require.Contains(t, text, `{"labelled":{"label":"noon",`)
		_, err = d.OpenRecording(all[0].File)
		require.ErrorIs(t, err, api.ErrRequest)

		require.NoError(t, d.Record(false))
		time.Sleep(time.Minute)
		synctest.Wait()
		all, err = d.Recordings()
		require.NoError(t, err)
		require.False(t, all[0].Open)
		require.Equal(t, int64(3), all[0].Labels)
		require.NotEmpty(t, view(all[0].File))
		f, err := d.OpenRecording(all[0].File)
		require.NoError(t, err)
		content, err := io.ReadAll(f)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		require.Len(t, content, int(all[0].Bytes))
		_, err = d.OpenRecording("none.mcap")
		require.ErrorIs(t, err, api.ErrUnknown)
		require.NoError(t, stop())
	})
}

// TestNoRecordings: without [record] nothing of the disk is shown.
func TestNoRecordings(t *testing.T) {
	d, err := New(quiet(airSensor()), Environment{Model: tinyModel(t, twoFeatures), Notify: &notes{}})
	require.NoError(t, err)
	all, err := d.Recordings()
	require.NoError(t, err)
	require.Empty(t, all)
	require.ErrorIs(t, d.ViewRecording(context.Background(), "a.mcap", &api.RecordingView{}, nil), api.ErrUnknown)
}
