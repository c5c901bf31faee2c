package daemon

import (
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// Environment is what the daemon touches of the world, and what a caller wants
// of it besides the configuration. The zero value is the real world.
type Environment struct {
	// Version of the program, for status and metrics.
	Version string
	// KernelSet names the kernels that fusion runs on, for Results and metrics.
	// KernelFault says why they are plain Go although the CPU could do better.
	KernelSet, KernelFault string
	// Log is where events go; nil drops them.
	Log *slog.Logger
	// Stdout is where sink stdout and Test write.
	Stdout io.Writer
	// Model takes the place of agent.model when it is not nil.
	Model *fusion.Model
	// Files holds the recordings; nil is the file system.
	Files fs.FS
	// Hardware is what sensors are read from; what is nil of it is the machine's.
	Hardware sensor.Hardware
	// Disk is what recordings are written to; nil is the machine's.
	Disk record.FileSystem
	// Notify is the service manager; nil is systemd where it runs the daemon.
	Notify Notifier
	// Load reads the configuration anew for a reload; nil: it cannot be reloaded.
	Load func() (Config, error)
	// Hangup asks for a reload with every value; nil never does.
	Hangup <-chan os.Signal
	// Flight asks for a flight recording with every value; nil never does.
	Flight <-chan os.Signal
	// Watch returns a text that is another one when the configuration's files have
	// changed, which makes the daemon reload; nil: they are not watched.
	Watch func() string
	// OnResult sees every Result before any sink. It must return quickly and
	// must not keep the Result.
	OnResult func(*result.Result)
	// OnInputs sees what the model gets at every decision, or would get without
	// one, in the order of Modalities of the Result, of which only those, Mono and
	// Truth mean anything yet. It must keep neither.
	OnInputs func(*result.Result, []fusion.Regions)

	// Once ends the run after the first decision.
	Once bool
	// replay takes the place of opening the recordings of the configuration.
	replay *sensor.Replay

	// Test prints the readings of the first tick's time instead of deciding, and
	// uses neither sinks nor API.
	Test bool
}

func (e *Environment) fill() {
	if e.Log == nil {
		e.Log = slog.New(slog.DiscardHandler)
	}
	if e.Stdout == nil {
		e.Stdout = os.Stdout
	}
	e.Hardware = e.Hardware.Fill()
	if e.Disk == nil {
		e.Disk = record.OS{}
	}
	if e.Notify == nil {
		e.Notify = systemd{}
	}
}

// open opens a recording.
func (e *Environment) open(name string) (io.ReadCloser, error) {
	if e.Files != nil {
		return e.Files.Open(name)
	}
	return sensor.OpenFile(name)
}
