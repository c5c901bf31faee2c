package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
	"github.com/spf13/cobra"
)

//go:embed room/room.safetensors room/room-demo.csv.gz
var room embed.FS

const (
	roomModel     = "room/room.safetensors"
	roomRecording = "room/room-demo.csv.gz"
	roomFormat    = "2006/01/02 15:04:05"
	roomLabel     = "Room_Occupancy_Count"
	// roomDark is the modality that the demo unplugs, and roomOut when: over a
	// change from two people to three.
	roomDark = "light"
)

var (
	roomOut    = [2]string{"2017/12/22 16:50:00", "2017/12/22 18:05:00"}
	roomAlways = [2]string{"2017/12/22 00:00:00", "2017/12/23 00:00:00"}
)

const demoHelp = `A room, five kinds of sensors, and one question: how many people are in it?
The demo replays a real afternoon (recorded 22 December 2017) faster than life
through the same pipeline the daemon runs, says at every change what it decides,
how sure it is and which sensors it looked at, unplugs the light sensors for a
while, and ends with figures: how often it was right, how fast it was, how much
memory it took. It needs no hardware and no files.

With --listen 127.0.0.1:8080 a browser shows the same meanwhile, at
http://127.0.0.1:8080/; --speed 60 leaves time to look.

The figures come from two silent passes over the whole recording, the second one
without the light sensors.`

func newDemo() *cobra.Command {
	var d demo
	c := &cobra.Command{
		Use:     "demo",
		Short:   "Watch a recorded room being understood; needs no hardware",
		Long:    demoHelp,
		Example: "  ragedge demo\n  ragedge demo --speed 200\n  ragedge demo --speed 60 --listen 127.0.0.1:8080\n  ragedge demo --speed max --json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if s, err := strconv.ParseFloat(d.speed, 64); d.speed != "max" && (err != nil || !(s > 0 && s <= 1e9)) {
				return usageError{fmt.Errorf("--speed %s: want a number above 0, or max", d.speed)}
			}
			return d.run(c.Context(), c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&d.speed, "speed", "1000", "how many times faster than life, or max")
	c.Flags().BoolVar(&d.json, "json", false, "print only the figures, as one JSON object")
	c.Flags().StringArrayVar(&d.listen, "listen", nil, "serve the API and the dashboard meanwhile, as in 127.0.0.1:8080 or unix:/tmp/demo.sock")
	return c
}

// demo is one run of the demo command.
type demo struct {
	speed  string
	json   bool
	listen []string
	model  *fusion.Model
}

func (d *demo) run(ctx context.Context, w io.Writer) error {
	file, err := room.ReadFile(roomModel)
	if err != nil {
		return err
	}
	if d.model, err = fusion.Parse(file); err != nil {
		return err
	}
	if !d.json {
		if err := d.play(ctx, w); err != nil {
			return err
		}
	}
	with, err := d.measure(ctx, nil)
	if err != nil {
		return err
	}
	without, err := d.measure(ctx, [][2]string{roomAlways})
	if err != nil {
		return err
	}
	figures := newFigures(with, without)
	if d.json {
		return json.NewEncoder(w).Encode(figures)
	}
	return figures.print(w, terminal(w))
}

// play is the pass to watch.
func (d *demo) play(ctx context.Context, w io.Writer) error {
	v := &view{w: w, color: terminal(w), right: d.right}
	fmt.Fprintf(w, "%s\n%s\n\n",
		v.paint(dim, "A room on 22 December 2017, replayed "+d.speed+" times faster than life. How many people are in it?"),
		v.paint(dim, "Below each kind of sensor, its share; a ! where the answer would be another without it."))
	config, err := d.config(d.speed, [][2]string{roomOut})
	if err != nil {
		return err
	}
	config.API.Listen = d.listen
	_, err = d.replay(ctx, config, v.show)
	v.clear()
	return err
}

// measure is a silent pass at full speed.
func (d *demo) measure(ctx context.Context, unplug [][2]string) (*tally, error) {
	config, err := d.config("max", unplug)
	if err != nil {
		return nil, err
	}
	t := &tally{right: d.right}
	t.elapsed, err = d.replay(ctx, config, t.count)
	return t, err
}

// replay runs the daemon over the recording and says how long that took.
func (d *demo) replay(ctx context.Context, config daemon.Config, each func(*result.Result)) (time.Duration, error) {
	run, err := daemon.New(config, daemon.Environment{
		Version: thisBuild().Version, KernelSet: ragedge.KernelSet(),
		Model: d.model, Files: room, OnResult: each,
	})
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := run.Run(ctx); err != nil {
		return 0, err
	}
	return time.Since(begun), ctx.Err()
}

// config describes the room as a configuration file would: one replayed sensor
// per modality, all from the same recording.
func (d *demo) config(speed string, unplug [][2]string) (daemon.Config, error) {
	config := daemon.DefaultConfig()
	config.API.Listen = nil
	features, err := encoder.ParseFeatures([]byte(d.model.Features))
	if err != nil {
		return config, err
	}
	for i, m := range d.model.Config.Modalities {
		s := sensor.Config{
			Alias: m.Name, Type: "replay", File: roomRecording, Speed: speed,
			Time: []string{"Date", "Time"}, Format: roomFormat,
			Channels: map[string]string{},
		}
		for _, channel := range features.Modalities[m.Name].Channels {
			s.Channels[channel] = channel
		}
		if i == 0 {
			s.Label = roomLabel
		}
		if m.Name == roomDark {
			s.Unplug = unplug
		}
		config.Sensors = append(config.Sensors, s)
	}
	return config, nil
}

// right compares an answer with the head count in the recording, which is the
// index of the label.
func (d *demo) right(r *result.Result) bool {
	n, err := strconv.Atoi(r.Truth)
	return err == nil && n >= 0 && n < len(r.Labels) && r.Labels[n] == r.Label
}

// terminal says whether w is one, and wants colour.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
