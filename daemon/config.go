package daemon

import (
	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/encoder"
)

// Config is the whole configuration of the daemon, as its TOML file says it.
type Config struct {
	Agent Agent `toml:"agent"`
	// Features is what the model sees. With a model that carries its own
	// features it may be left out; if present it must agree with them.
	Features encoder.Features `toml:"features"`
	Sensors  []sensor.Config  `toml:"sensor"`
	Sinks    []sink.Config    `toml:"sink"`
	API      api.Config       `toml:"api"`
	Record   record.Config    `toml:"record"`

	origins origins
}

// Agent is the [agent] table.
type Agent struct {
	// Model is a file name in ModelDirectory, or a path when it contains a
	// slash. Empty: the daemon collects samples, records them and publishes
	// readings.
	Model          string `toml:"model"`
	ModelDirectory string `toml:"model_directory"`
	// Trigger says when to decide: "tick", at every features.tick, or "push",
	// whenever regions or samples are pushed.
	Trigger string `toml:"trigger"`
	// Readings puts the newest value of every channel into each Result. Without a
	// model they always are there.
	Readings bool `toml:"readings"`
	// Threads is how many threads the model may use, where it is large enough to
	// gain from more than one.
	Threads int `toml:"threads"`
	// Influence is after how many decisions the model is asked again without each
	// modality: 1 for every one, -1 for never; 0 leaves it to the model's size.
	Influence int `toml:"influence"`
	// Hold is how long another label must win before it is the Result's, and Margin
	// how far ahead of the present one it must be meanwhile, as a difference of
	// probabilities.
	Hold   encoder.Duration `toml:"hold"`
	Margin float64          `toml:"margin"`
	// Throttle says what to do while the machine is hot or its supply weak:
	// "step-down" or "ignore".
	Throttle string `toml:"throttle"`
}

// Words of [agent] trigger.
const (
	TriggerTick = "tick"
	TriggerPush = "push"
)

// DefaultConfig returns what holds where a configuration file says nothing.
func DefaultConfig() Config {
	return Config{
		Agent: Agent{ModelDirectory: "/var/lib/ragedge/models", Trigger: TriggerTick, Threads: 1, Throttle: ThrottleStepDown},
		API:   api.Config{Listen: []string{"unix:/run/ragedge/api.sock"}},
	}
}
