package daemon

import (
	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/encoder"
)

// key documents one key of the configuration, for config default and config
// schema. The types say which keys there are; a test holds the two together.
type key struct {
	name string // in full: "sensor.alias"; NAME stands for a name that the user gives
	// value is the default, or an example where there is none, as TOML.
	value string
	about string
	words []string // the only values, when they are few
}

// section documents one table.
type section struct {
	name, header, about string
}

var sections = []section{
	{"agent", "[agent]", "The model, and when to decide."},
	{"features", "[features]", "What the model sees. A model that carries its own features needs none of this; if it is here it must agree."},
	{"features.modality.NAME", "[features.modality.NAME]", "One kind of input of the model."},
	{"sensor", "[[sensor]]", "A source of readings; one block each. ragedge sensors lists types and drivers."},
	{"sensor.registers", "[[sensor.registers]]", "One reading of an I2C chip with driver \"registers\"."},
	{"sink", "[[sink]]", "An output for Results; one block each."},
	{"api", "[api]", "The HTTP API."},
	{"record", "[record]", "Recordings: MCAP files that can be replayed, labelled and trained on. See docs/recording.md."},
}

// keys lists all keys, those of a table together. It is a function because a variable
// would be made at every start of the daemon.
func keys() []key {
	return []key{
		{"agent.model", `""`, "A file name in model_directory, or a path when it has a slash. Empty: no model; samples are collected, recorded and published as readings.", nil},
		{"agent.model_directory", `"/var/lib/ragedge/models"`, "Where models are.", nil},
		{"agent.trigger", `"tick"`, "When to decide: at every features.tick, or whenever regions or samples are pushed.", []string{TriggerTick, TriggerPush}},
		{"agent.readings", `false`, "Put the newest value of every channel into each Result; without a model they always are there.", nil},
		{"agent.threads", `1`, "How many threads a model that is large enough may use.", nil},
		{"agent.influence", `0`, "After how many decisions to measure what each modality changes: 1 for all, -1 for never; 0 for all of a small model and every 10th of a large one.", nil},
		{"agent.hold", `"0s"`, "How long another label must win before it is published.", nil},
		{"agent.margin", `0.0`, "How far ahead of the present label it must be meanwhile: 0.1 is 10 points of probability.", nil},

		{"agent.throttle", `"step-down"`, "What to do while the machine is hot, throttled or its supply weak: skip every second tick, until all has been well for a minute; or go on.", []string{ThrottleStepDown, ThrottleIgnore}},

		{"features.tick", `"30s"`, "The time between decisions.", nil},
		{"features.modality.NAME.encoder", `"window"`, "How its regions come about: statistics over time, or as another process sends them.", []string{encoder.Windowed, encoder.Push}},
		{"features.modality.NAME.channels", `["light1", "light2"]`, "The channels a window looks at, in the order of its features.", nil},
		{"features.modality.NAME.regions", `8`, "The largest number of rows, the newest first.", nil},
		{"features.modality.NAME.every", `"30s"`, "The slice of time behind each row.", nil},
		{"features.modality.NAME.functions", `["last"]`, "Of each slice: last mean min max range median std slope rms count crossings energy:LO-HIHz.", nil},
		{"features.modality.NAME.fill", `"none"`, "hold lets the newest earlier sample stand in for an empty slice; none ends the rows there.", []string{encoder.FillNone, encoder.FillHold}},
		{"features.modality.NAME.stale_after", `"90s"`, "The age at which the modality is masked.", nil},
		{"features.modality.NAME.baseline", `false`, "Subtract the running median of each channel.", nil},
		{"features.modality.NAME.baseline_window", `"1h"`, "The time that the median is taken over.", nil},

		{"sensor.alias", `"desk-light"`, "Its name in messages and metrics: a-z, 0-9, _ and -.", nil},
		{"sensor.type", `"i2c"`, "What it is.", kindNames()},
		{"sensor.channels", `{ lux = "light1" }`, "Reading = channel. What is not listed is left out; without the table the channels are called ALIAS.READING.", nil},
		{"sensor.driver", `"bh1750"`, "The chip (i2c, spi), or the kernel's name of the device (hwmon, iio).", nil},
		{"sensor.device", `"plughw:CARD=Device"`, "The microphone in ALSA's words (arecord -L lists them), or the camera: /dev/video0, or the kernel's name of it.", nil},
		{"sensor.rate", `16000`, "Samples of the microphone in a second.", nil},
		{"sensor.bands", `["125-250Hz", "250-500Hz"]`, "Audio: the readings band1, band2 and so on are the power between these frequencies.", nil},
		{"sensor.mels", `40`, "Audio: so many readings mel1, mel2 and so on, the power in bands as the ear has them; none when left out.", nil},
		{"sensor.grid", `"4x6"`, "Camera: rows and columns of the readings patch1, patch2 and so on; none when left out.", nil},
		{"sensor.trigger", `"lis3dh-dev0"`, "IIO: read the device through its buffer, which this trigger fills.", nil},
		{"sensor.buffer", `128`, "IIO: how many scans the kernel's buffer holds; without it and trigger, the device is polled.", nil},
		{"sensor.bus", `"1"`, "N of /dev/i2c-N, B.C of /dev/spidevB.C, or what tells devices of one name apart.", nil},
		{"sensor.address", `0x23`, "I2C address; the chip's own when left out.", nil},
		{"sensor.setup", `[[0x01, 0x80]]`, "Driver registers: what to write when the chip is configured, a register and its bytes in each line.", nil},
		{"sensor.reference", `3.3`, "Volts at full scale of an SPI converter.", nil},
		{"sensor.line", `"GPIO17"`, "Name of the GPIO line.", nil},
		{"sensor.bias", `"pull-up"`, "Resistor of the GPIO line; as the board set it when left out.", []string{sensor.PullUp, sensor.PullDown, sensor.PullNone}},
		{"sensor.active_low", `false`, "Low counts as 1.", nil},
		{"sensor.debounce", `"50ms"`, "How long a level must last to count.", nil},
		{"sensor.command", `["/usr/bin/rtl_433", "-F", "json"]`, "Program of an exec sensor, and its arguments; for audio and camera, what prints samples (16 bits, little-endian, one channel) or JPEG pictures.", nil},
		{"sensor.data_format", `"json"`, "What the program's lines are; for mqtt its messages, which are plain values as well with json, and never csv.", []string{sensor.FormatJSON, sensor.FormatCSV, sensor.FormatInflux, sensor.FormatRegions}},
		{"sensor.url", `"mqtt://broker"`, "The broker of an mqtt sensor; mqtts:// with TLS.", nil},
		{"sensor.username", `"board"`, "User name at the broker.", nil},
		{"sensor.password_file", `"mqtt.password"`, "File, or systemd credential, that holds nothing but the password.", nil},
		{"sensor.ca_file", `"ca.pem"`, "Certificates of who signed the broker's; the system's when left out.", nil},
		{"sensor.topic", `"zigbee2mqtt/hall"`, "What to subscribe to; + stands for any level, # at the end for all that follow.", nil},
		{"sensor.availability", `"zigbee2mqtt/hall/availability"`, "Topic on which the device is said to be online or offline.", nil},
		{"sensor.interval", `"1s"`, "The time between readings; the driver's own when left out.", nil},
		{"sensor.timeout", `"200ms"`, "How long a reading may take; for exec, audio and camera, how long there may be silence.", nil},
		{"sensor.startup_error", `"retry"`, "What to do when the first reading fails.", []string{sensor.StartupFail, sensor.StartupIgnore, sensor.StartupRetry, sensor.StartupProbe}},
		{"sensor.frozen_after", `"10m"`, "How long all values may stay equal to the last digit, 10 readings at least; some chips have 10m by themselves.", nil},
		{"sensor.frozen", `"mask"`, "What becomes of the sensor then: mask it, keep using its values and say so, or do not look.", []string{sensor.FrozenMask, sensor.FrozenKeep, sensor.FrozenOff}},
		{"sensor.ranges", `{ lux = [0, 120000] }`, "Reading = smallest and largest value that can be true.", nil},
		{"sensor.out_of_range", `"drop"`, "What becomes of others: the reading fails; the nearest end counts; or the sensor is masked.", []string{sensor.RangeDrop, sensor.RangeClamp, sensor.RangeMask}},
		{"sensor.reinit", `"10m"`, "I2C: configure the chip again every so often, although nothing is wrong; left out, never.", nil},
		{"sensor.file", `"room.csv"`, "Recording of a replay.", nil},
		{"sensor.time", `["Date", "Time"]`, "Columns that make up the time.", nil},
		{"sensor.format", `"2006/01/02 15:04:05"`, "How the time is written, as a Go layout, or seconds for numbers of them.", nil},
		{"sensor.zone", `"UTC"`, "Time zone of the recording.", nil},
		{"sensor.label", `"Room_Occupancy_Count"`, "Column that says what was true; for gpio what a press says is true, and the next press no more.", nil},
		{"sensor.group", `"subject"`, "Column that says which recording a row is of; windows begin anew in each.", nil},
		{"sensor.split", `"split"`, "Column that says what a row is for: train, validation or test.", nil},
		{"sensor.target", `"weight"`, "Column of the number that a regression is to learn.", nil},
		{"sensor.where", `{ side = "R" }`, "Column = text: only rows that have it count.", nil},
		{"sensor.speed", `"1"`, "How many times faster than life, or max.", nil},
		{"sensor.unplug", `[["2017/12/22 10:00:00", "2017/12/22 11:00:00"]]`, "Stretches of the recording in which the sensor fails.", nil},
		{"sensor.registers.name", `"temperature"`, "Name of the reading.", nil},
		{"sensor.registers.unit", `"°C"`, "Its unit, for messages.", nil},
		{"sensor.registers.register", `0x00`, "Address of the first byte.", nil},
		{"sensor.registers.width", `2`, "Number of bytes, 1 to 4.", nil},
		{"sensor.registers.endian", `"big"`, "Order of the bytes.", []string{"big", "little"}},
		{"sensor.registers.bits", `0`, "How many of the low bits count; 0 for all.", nil},
		{"sensor.registers.signed", `false`, "The number is in two's complement.", nil},
		{"sensor.registers.scale", `1.0`, "The reading is the number times scale plus offset.", nil},
		{"sensor.registers.offset", `0.0`, "See scale.", nil},

		{"sink.type", `"stdout"`, "Where Results go.", []string{sink.Stdout, sink.File, sink.KindMQTT, sink.Influx, sink.Prometheus}},
		{"sink.path", `"results.jsonl"`, "File to append to; for prometheus, a .prom file to replace.", nil},
		{"sink.max_bytes", `1048576`, "The size at which a file is rotated: PATH becomes PATH.1, and so on; left out, it grows.", nil},
		{"sink.keep", `5`, "How many old files stay.", nil},
		{"sink.interval", `"15s"`, "For prometheus: the least time between two writes.", nil},
		{"sink.queue", `64`, "How many Results may wait; 512 for mqtt when left out.", nil},
		{"sink.publish", `"all"`, "Which Results go there: all, or those in which the label, a modality's presence or a conflict changed.", []string{sink.All, sink.Changed}},
		{"sink.at_least_every", `"5m"`, "With publish = \"changed\": one after so long although nothing changed, as a sign of life.", nil},
		{"sink.url", `"mqtts://broker:8883"`, "The MQTT broker, mqtt:// without TLS; for influx tcp://HOST:PORT, udp://HOST:PORT, unix:///PATH or the http(s):// address to post to.", nil},
		{"sink.username", `"board"`, "User name at the broker.", nil},
		{"sink.password_file", `"mqtt.password"`, "File, or systemd credential, that holds nothing but the password.", nil},
		{"sink.ca_file", `"ca.pem"`, "Certificates of who signed the broker's or server's; the system's when left out.", nil},
		{"sink.topic", `"ragedge/1a2b3c4d"`, "What all topics begin with; ragedge/ and the board's ID when left out.", nil},
		{"sink.spill", `"/var/lib/ragedge/spill"`, "Directory for Results that wait while the broker is away, and over a restart; left out, they wait in memory.", nil},
		{"sink.spill_max_bytes", `16777216`, "What they may take there.", nil},
		{"sink.spill_write_budget_bytes", `67108864`, "What may be written there in a day, since memory cards wear out.", nil},
		{"sink.homeassistant", `false`, "Announce the board to Home Assistant.", nil},

		{"record.when", `"always"`, "What is recorded: everything; what follows a changed answer; or what POST /v1/record starts. Left out: nothing, and no file is touched.", []string{record.Always, record.Trigger, record.API}},
		{"record.hold", `"5m"`, "How long to record after a change, with when = \"trigger\".", nil},
		{"record.directory", `"/var/lib/ragedge/recordings"`, "Where recordings are. No other process may record there.", nil},
		{"record.durable", `"interval"`, "What a power cut may cost: nothing; the last interval; or what the kernel had not written yet.", []string{record.DurableRecord, record.DurableInterval, record.DurableNone}},
		{"record.interval", `"10s"`, "The time between two writes.", nil},
		{"record.segment_bytes", `16777216`, "The size at which another file is begun.", nil},
		{"record.segment_age", `"24h"`, "The age at which another file is begun.", nil},
		{"record.max_bytes", `536870912`, "What all recordings may take; the oldest are removed, those with labels last.", nil},
		{"record.max_age", `"720h"`, "The age at which a recording is removed; left out, none is for its age.", nil},
		{"record.write_budget_bytes", `500000000`, "What may be written in 24 hours, to spare a memory card: then only labels and flights are recorded; left out, no bound.", nil},
		{"record.flight", `"10m"`, "How far back everything is kept in memory, to be written when it is wanted; left out, nothing is.", nil},
		{"record.flight_bytes", `1048576`, "What that may take in memory; the oldest goes first.", nil},
		{"record.flight_on", `["sensor-down", "no-answer", "conflict"]`, "What makes the daemon write it by itself, beside SIGUSR2 and ragedge record flight.", nil},

		{"api.listen", `["unix:/run/ragedge/api.sock"]`, "Unix sockets and addresses to serve at; none for no API. What other machines can reach needs TLS, and tokens or client_ca.", nil},
		{"api.tls_cert", `"api.crt"`, "Certificate (PEM) for the addresses; docs/api.md has the command that makes one.", nil},
		{"api.tls_key", `"api.key"`, "Its key: a file, or systemd credential.", nil},
		{"api.token_file", `"api.tokens"`, "Hashes of the tokens that let a client do everything; ragedge token adds one.", nil},
		{"api.client_ca", `"clients.pem"`, "Certificates of who signed those of clients; they need no token.", nil},
		{"api.users", `["pi"]`, "Who may use the Unix sockets, of those that the socket's mode lets in; everyone of them when left out.", nil},
	}
}

func kindNames() (names []string) {
	for _, k := range sensor.Catalogue() {
		names = append(names, k.Name)
	}
	return names
}

// about returns what documents a key.
func about(name string) key {
	for _, k := range keys() {
		if k.name == name {
			return k
		}
	}
	return key{name: name}
}
