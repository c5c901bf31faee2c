package api

// Words of Status.State and SensorStatus.State.
const (
	// StateUp: everything works.
	StateUp = "up"
	// StateDegraded: answers go on, with something missing or failing.
	StateDegraded = "degraded"
	// StateDown: no answers, or no readings from this sensor.
	StateDown = "down"
	// StateWedged: a read of this sensor, or of another one on its bus, has not
	// returned for more than a minute.
	StateWedged = "wedged"
	// StateProbing: no reading of this sensor has come or failed yet.
	StateProbing = "probing"
)

// Status is what an operator needs to know of a running daemon, and the body of
// GET /v1/status. Ages and times are in seconds; an age that nothing happened
// for yet is nil and left out.
type Status struct {
	Version string `json:"version"`
	// State is up, degraded or down, and Reason says why it is not up.
	State   string  `json:"state"`
	Reason  string  `json:"reason,omitempty"`
	UptimeS float64 `json:"uptime_s"`
	// Model is nil while the daemon only collects.
	Model       *ModelStatus `json:"model,omitempty"`
	KernelSet   string       `json:"kernel_set"`
	TimeQuality string       `json:"time_quality"`
	// Decisions counts the Results so far, Answered those that had an answer,
	// and Missed the ticks that passed without one although they were due.
	Decisions int64 `json:"decisions"`
	Answered  int64 `json:"answered"`
	Missed    int64 `json:"missed"`
	// Skipped counts the ticks left out because the machine was hot or its supply
	// weak.
	Skipped        int64    `json:"skipped,omitempty"`
	LastResultAgeS *float64 `json:"last_result_age_s,omitempty"`

	Sensors []SensorStatus `json:"sensors"`
	Sinks   []SinkStatus   `json:"sinks"`
	// Late names the stages that are over their time, which is when the
	// watchdog is not fed.
	Late     []string `json:"late"`
	RSSBytes int64    `json:"rss_bytes"`
	// Power is nil where the machine says nothing about it.
	Power *PowerStatus `json:"power,omitempty"`
	// Record is nil while nothing is configured to be recorded.
	Record *RecordStatus `json:"record,omitempty"`
	// Config is what became of the reloads of the configuration.
	Config ConfigStatus `json:"config"`
}

// ConfigStatus counts the reloads and those that failed, which left everything as
// it was. LastError is why the newest one failed, empty when it did not. AgeS is
// how long the configuration has been in force.
type ConfigStatus struct {
	Reloads   int64   `json:"reloads"`
	Failed    int64   `json:"failed"`
	LastError string  `json:"last_error,omitempty"`
	AgeS      float64 `json:"age_s"`
}

// ModelStatus names the loaded model.
type ModelStatus struct {
	Name string `json:"name"`
	// Digest is "sha256:" and hexadecimal digits, as in a Result.
	Digest string `json:"digest"`
}

// SensorStatus is one [[sensor]] block at work.
type SensorStatus struct {
	Alias string `json:"alias"`
	Type  string `json:"type"`
	// State is probing, up, degraded, down or wedged, and Reason says why it is
	// not up.
	State           string   `json:"state"`
	Reason          string   `json:"reason,omitempty"`
	Reads           int64    `json:"reads"`
	Errors          int64    `json:"errors"`
	LastSuccessAgeS *float64 `json:"last_success_age_s,omitempty"`
	// OutOfRange counts the values that were outside its ranges.
	OutOfRange int64 `json:"out_of_range,omitempty"`
}

// PowerStatus is what the machine says of its supply, heat and clock. What it does
// not know is left out.
type PowerStatus struct {
	// Degraded names what is wrong now: undervoltage, frequency-capped, throttled,
	// hot, overcurrent. SinceBoot names what was at some time since the board started.
	Degraded  []string `json:"degraded,omitempty"`
	SinceBoot []string `json:"since_boot,omitempty"`
	// SteppedDown is true while every second tick is skipped for it.
	SteppedDown  bool    `json:"stepped_down"`
	TemperatureC float64 `json:"temperature_c,omitempty"`
	FrequencyHz  float64 `json:"frequency_hz,omitempty"`
	// Unreadable counts the files of the machine that do not answer.
	Unreadable int `json:"unreadable,omitempty"`
}

// SinkStatus is one [[sink]] block at work.
type SinkStatus struct {
	Type      string `json:"type"`
	Waiting   int    `json:"waiting"`
	Written   int64  `json:"written"`
	Dropped   int64  `json:"dropped"`
	Errors    int64  `json:"errors"`
	LastError string `json:"last_error,omitempty"`
	// Connected says whether a broker answers; Thinned counts the repeats that
	// made room for changes, and Late what was published late. Type mqtt only.
	Connected *bool `json:"connected,omitempty"`
	Thinned   int64 `json:"thinned,omitempty"`
	Late      int64 `json:"late,omitempty"`
}

// RecordStatus is the recording at work. Errors are failed attempts to write,
// after which the same records are tried again; Dropped are records that are lost.
// LastError is empty while the disk takes what it is given.
type RecordStatus struct {
	Active   bool  `json:"active"`
	Records  int64 `json:"records"`
	Dropped  int64 `json:"dropped"`
	Errors   int64 `json:"errors"`
	Bytes    int64 `json:"bytes"`
	Segments int64 `json:"segments"`
	// Removed counts segments that the quota cost, Aside those that a crash left
	// unreadable, and Damaged chunks with a wrong checksum.
	Removed   int64  `json:"removed"`
	Aside     int64  `json:"aside"`
	Damaged   int64  `json:"damaged"`
	LastError string `json:"last_error,omitempty"`
	// OverBudget says that the day's write budget is used up. Flights counts those
	// that were written, Forgotten the records that memory had no room for.
	OverBudget bool  `json:"over_budget,omitempty"`
	Flights    int64 `json:"flights,omitempty"`
	Forgotten  int64 `json:"forgotten,omitempty"`
	// Label holds now, "" for none that was given since the recording began.
	Label string `json:"label,omitempty"`
}
