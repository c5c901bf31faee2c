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

var keys = []key{
	{"agent.model", `""`, "A file name in model_directory, or a path when it has a slash. Empty: no model; samples are collected, recorded and published as readings.", nil},
	{"agent.model_directory", `"/var/lib/ragedge/models"`, "Where models are.", nil},
	{"agent.trigger", `"tick"`, "When to decide: at every features.tick, or whenever regions or samples are pushed.", []string{TriggerTick, TriggerPush}},
	{"agent.readings", `false`, "Put the newest value of every channel into each Result; without a model they always are there.", nil},
	{"agent.threads", `1`, "How many threads a model that is large enough may use.", nil},

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
	{"sensor.bus", `"1"`, "N of /dev/i2c-N, B.C of /dev/spidevB.C, or what tells devices of one name apart.", nil},
	{"sensor.address", `0x23`, "I2C address; the chip's own when left out.", nil},
	{"sensor.setup", `[[0x01, 0x80]]`, "Driver registers: what to write when the chip is configured, a register and its bytes in each line.", nil},
	{"sensor.reference", `3.3`, "Volts at full scale of an SPI converter.", nil},
	{"sensor.line", `"GPIO17"`, "Name of the GPIO line.", nil},
	{"sensor.bias", `"pull-up"`, "Resistor of the GPIO line; as the board set it when left out.", []string{sensor.PullUp, sensor.PullDown, sensor.PullNone}},
	{"sensor.active_low", `false`, "Low counts as 1.", nil},
	{"sensor.debounce", `"50ms"`, "How long a level must last to count.", nil},
	{"sensor.command", `["/usr/bin/rtl_433", "-F", "json"]`, "Program of an exec sensor, and its arguments.", nil},
	{"sensor.data_format", `"json"`, "What the program's lines are.", []string{sensor.FormatJSON, sensor.FormatCSV, sensor.FormatInflux}},
	{"sensor.interval", `"1s"`, "The time between readings; the driver's own when left out.", nil},
	{"sensor.timeout", `"200ms"`, "How long a reading may take; for exec, how long the program may be silent.", nil},
	{"sensor.startup_error", `"retry"`, "What to do when the first reading fails.", []string{sensor.StartupFail, sensor.StartupIgnore, sensor.StartupRetry, sensor.StartupProbe}},
	{"sensor.file", `"room.csv"`, "Recording of a replay.", nil},
	{"sensor.time", `["Date", "Time"]`, "Columns that make up the time.", nil},
	{"sensor.format", `"2006/01/02 15:04:05"`, "How the time is written, as a Go layout.", nil},
	{"sensor.zone", `"UTC"`, "Time zone of the recording.", nil},
	{"sensor.label", `"Room_Occupancy_Count"`, "Column that says what was true.", nil},
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

	{"sink.type", `"stdout"`, "Where Results go.", []string{sink.Stdout, sink.File, sink.KindMQTT}},
	{"sink.path", `"results.jsonl"`, "File to append to.", nil},
	{"sink.queue", `64`, "How many Results may wait; 512 for mqtt when left out.", nil},
	{"sink.url", `"mqtts://broker:8883"`, "The MQTT broker; mqtt:// without TLS.", nil},
	{"sink.username", `"board"`, "User name at the broker.", nil},
	{"sink.password_file", `"mqtt.password"`, "File, or systemd credential, that holds nothing but the password.", nil},
	{"sink.ca_file", `"ca.pem"`, "Certificates of who signed the broker's; the system's when left out.", nil},
	{"sink.topic", `"ragedge/1a2b3c4d"`, "What all topics begin with; ragedge/ and the board's ID when left out.", nil},
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

	{"api.listen", `["unix:/run/ragedge/api.sock"]`, "Unix sockets and addresses to serve at; none for no API. What other machines can reach needs TLS, and tokens or client_ca.", nil},
	{"api.tls_cert", `"api.crt"`, "Certificate (PEM) for the addresses; docs/api.md has the command that makes one.", nil},
	{"api.tls_key", `"api.key"`, "Its key: a file, or systemd credential.", nil},
	{"api.token_file", `"api.tokens"`, "Hashes of the tokens that let a client do everything; ragedge token adds one.", nil},
	{"api.client_ca", `"clients.pem"`, "Certificates of who signed those of clients; they need no token.", nil},
	{"api.users", `["pi"]`, "Who may use the Unix sockets, of those that the socket's mode lets in; everyone of them when left out.", nil},
}

func kindNames() (names []string) {
	for _, k := range sensor.Catalogue() {
		names = append(names, k.Name)
	}
	return names
}

// about returns what documents a key.
func about(name string) key {
	for _, k := range keys {
		if k.name == name {
			return k
		}
	}
	return key{name: name}
}
