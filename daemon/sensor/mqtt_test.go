package sensor

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/mqtt"
)

// mqttSensor is a block that reads from a broker.
func mqttSensor(topic string, channels map[string]string) Config {
	return Config{Alias: "hall", Type: MQTT, URL: "mqtt://broker", Topic: topic, Channels: channels}
}

func TestCheckMQTT(t *testing.T) {
	good := mqttSensor("zigbee2mqtt/hall", map[string]string{"temperature": "hall"})
	good.Username, good.PasswordFile, good.Availability = "board", "p", "zigbee2mqtt/hall/availability"
	require.NoError(t, good.Check())
	require.Equal(t, FormatJSON, good.WithDefaults().DataFormat)
	regions := mqttSensor("ragedge/+/regions", nil)
	regions.DataFormat = FormatRegions
	require.NoError(t, regions.Check())
	for _, c := range []struct {
		edit func(*Config)
		want string
	}{
		{func(c *Config) { c.URL = "" }, "url: required"},
		{func(c *Config) { c.URL = "mqtt://me:hunter2@broker" }, "use username and password_file"},
		{func(c *Config) { c.CAFile = "ca.pem" }, "ca_file: without TLS"},
		{func(c *Config) { c.Username = "" }, "password_file: username is missing"},
		{func(c *Config) { c.Topic = "" }, "topic: required"},
		{func(c *Config) { c.Topic = "a/#/b" }, "topic: # stands only at the end"},
		{func(c *Config) { c.Availability = "a/+" }, "availability: + and # are for subscribers"},
		{func(c *Config) { c.DataFormat = FormatCSV }, `data_format: "csv" is not one of: json, influx, regions`},
		{func(c *Config) { c.DataFormat = FormatRegions }, "channels: data_format"},
		{func(c *Config) { c.Channels = nil }, "channels: required"},
		{func(c *Config) { c.Interval = 1 }, "interval: a key of type"},
		{func(c *Config) { c.Type = Push }, "topic: a key of type mqtt, which type push does not have"},
	} {
		config := good
		c.edit(&config)
		require.ErrorContains(t, config.Check(), c.want)
	}
}

// What devices publish, and what comes of it: values, an error, or nothing.
func TestMQTTMessages(t *testing.T) {
	tasmota := `{"Time":"2026-05-04T10:20:30","AM2301":{"Temperature":21.3,"Humidity":null},"TempUnit":"C"}`
	for name, c := range map[string]struct {
		filter, topic, payload string
		format                 string
		channels               string // names to keep
		want                   map[string]float64
		err                    string
	}{
		"ESPHome":              {filter: "office/sensor/+/state", topic: "office/sensor/co2/state", payload: "812.5", channels: "co2", want: map[string]float64{"co2": 812.5}},
		"ESPHome, unwanted":    {filter: "office/sensor/+/state", topic: "office/sensor/wifi/state", payload: "a text", channels: "co2"},
		"ESPHome, no value":    {filter: "office/sensor/+/state", topic: "office/sensor/co2/state", payload: "nan", channels: "co2", err: "co2: not a finite number"},
		"a switch":             {filter: "a", topic: "a", payload: "ON", channels: "value", want: map[string]float64{"value": 1}},
		"a switch, off":        {filter: "a", topic: "a", payload: "off\n", channels: "value", want: map[string]float64{"value": 0}},
		"Zigbee2MQTT":          {filter: "z/hall", topic: "z/hall", payload: `{"temperature":21.3,"occupancy":true,"update":{"state":"idle"}}`, channels: "temperature occupancy", want: map[string]float64{"temperature": 21.3, "occupancy": 1}},
		"Zigbee2MQTT, all":     {filter: "z/+", topic: "z/hall", payload: `{"temperature":21.3,"state":"ON"}`, channels: "hall.temperature hall.state", want: map[string]float64{"hall.temperature": 21.3, "hall.state": 1}},
		"Zigbee2MQTT, log":     {filter: "z/#", topic: "z/bridge/logging", payload: `{"level":"info", broken`, channels: "hall.temperature"},
		"Tasmota":              {filter: "tele/x/SENSOR", topic: "tele/x/SENSOR", payload: tasmota, channels: "AM2301.Temperature AM2301.Humidity", want: map[string]float64{"AM2301.Temperature": 21.3}},
		"another board":        {filter: "ragedge/+/state", topic: "ragedge/1a/state", payload: `{"seq":1,"label":"on","probabilities":{"2 people":0.9},"values":[1.5,2]}`, channels: "1a.probabilities.2 people 1a.values.1", want: map[string]float64{"1a.values.1": 2}},
		"Influx":               {filter: "t", topic: "t", format: FormatInflux, payload: "room temp=1.5 1\nroom co2=400i 2\n", channels: "temp room.co2", want: map[string]float64{"temp": 1.5, "room.co2": 400}},
		"Influx, broken":       {filter: "t", topic: "t", format: FormatInflux, payload: "room", channels: "temp", err: "not a line like"},
		"text":                 {filter: "a", topic: "a", payload: "warm", channels: "value", err: `topic a: "warm" is neither a number nor on or off`},
		"binary":               {filter: "a", topic: "a", payload: "\x00\xff\xfe", channels: "value", err: "neither a number"},
		"cut short":            {filter: "a", topic: "a", payload: `{"temperature":21.`, channels: "temperature", err: "is not JSON"},
		"two values":           {filter: "a", topic: "a", payload: `{"a":1}{"a":2}`, channels: "a", err: "is not JSON"},
		"not a number":         {filter: "a", topic: "a", payload: `{"a":NaN}`, channels: "a", err: "is not JSON"},
		"too large a number":   {filter: "a", topic: "a", payload: `{"a":1e999}`, channels: "a", err: "is not JSON"},
		"too large in a text":  {filter: "a", topic: "a", payload: `{"a":"1e999"}`, channels: "a"},
		"infinity":             {filter: "a", topic: "a", payload: `{"a":"inf"}`, channels: "a", err: "a: not a finite number"},
		"deep":                 {filter: "a", topic: "a", payload: strings.Repeat("[", 10001) + strings.Repeat("]", 10001), channels: "a", err: "is not JSON"},
		"a list":               {filter: "a", topic: "a", payload: `[1,{"b":2}]`, channels: "0 1.b", want: map[string]float64{"0": 1, "1.b": 2}},
		"nothing that matters": {filter: "a", topic: "a", payload: `{"b":1}`, channels: "a"},
		"empty":                {filter: "a", topic: "a", payload: "", channels: "value"},
		"blank":                {filter: "a", topic: "a", payload: "  ", channels: "value", err: "neither a number"},
		"too long":             {filter: "a", topic: "a", payload: strings.Repeat("1", maxPayload+1), channels: "value", err: "a message of 65537 bytes on a, more than 65536"},
		"another topic":        {filter: "a", topic: "b", payload: "1", channels: "value"},
		"broker's own":         {filter: "#", topic: "$SYS/uptime", payload: "1", channels: "uptime"},
	} {
		t.Run(name, func(t *testing.T) {
			channels := map[string]string{}
			for _, key := range strings.Fields(strings.ReplaceAll(c.channels, "2 people", "2_people")) {
				channels[strings.ReplaceAll(key, "2_people", "2 people")] = strings.ReplaceAll(key, "2_people", "2 people")
			}
			if name == "another board" {
				c.want["1a.probabilities.2 people"] = 0.9
			}
			config := mqttSensor(c.filter, channels)
			config.DataFormat = c.format
			require.NoError(t, config.Check())
			s := &topic{index: 3, config: config.WithDefaults()}
			var got []Reading
			s.read(arrived{mqtt.Message{Topic: c.topic, Payload: []byte(c.payload)}, time.Second}, func(r Reading) { got = append(got, r) })
			if c.want == nil && c.err == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Equal(t, 3, got[0].Sensor)
			require.Equal(t, time.Second, got[0].At)
			if c.err != "" {
				require.ErrorContains(t, got[0].Err, c.err)
				require.Empty(t, got[0].Samples)
				return
			}
			require.NoError(t, got[0].Err)
			values := map[string]float64{}
			for _, sample := range got[0].Samples {
				values[sample.Channel] = sample.Value
			}
			require.Equal(t, c.want, values)
		})
	}
}

func TestMQTTAvailability(t *testing.T) {
	for payload, want := range map[string]string{
		"online": "on", "Online": "on", `{"state":"online"}`: "on",
		"offline": "off", "Offline\n": "off", `{"state":"offline"}`: "off", "stopped": "off",
		"": "", "?": "", `{"state":1}`: "", `{"status":"offline"}`: "", "[": "",
	} {
		online, known := availability([]byte(payload))
		require.Equal(t, want != "", known, "%q", payload)
		require.Equal(t, want == "on", online, "%q", payload)
	}
}

// heard are the readings of a running Subscriber.
type heard struct {
	mu  sync.Mutex
	all []Reading
}

func (h *heard) take(r Reading) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.Samples = append(r.Samples[:0:0], r.Samples...)
	h.all = append(h.all, r)
}

// of returns the values that a sensor delivered, and its failures.
func (h *heard) of(sensor int) (values []float64, failures []error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.all {
		if r.Sensor != sensor {
			continue
		}
		for _, s := range r.Samples {
			values = append(values, s.Value)
		}
		if r.Err != nil {
			failures = append(failures, r.Err)
		}
	}
	return values, failures
}

// testBroker is a broker in this process that can be stopped and started again.
type testBroker struct {
	*mochi.Server
	address string
}

type lenient struct {
	mochi.HookBase
	forbid string
}

func (*lenient) ID() string { return "lenient" }
func (*lenient) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (*lenient) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (l *lenient) OnACLCheck(_ *mochi.Client, topic string, _ bool) bool {
	return l.forbid == "" || topic != l.forbid
}

func startBroker(t *testing.T, address, forbid string) *testBroker {
	t.Helper()
	b := &testBroker{Server: mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})}
	require.NoError(t, b.AddHook(&lenient{forbid: forbid}, nil))
	l := listeners.NewTCP(listeners.Config{ID: "test", Address: address})
	require.NoError(t, b.AddListener(l))
	require.NoError(t, b.Serve())
	b.address = l.Address()
	return b
}

// startSubscriber runs the only Subscriber of configs against a broker.
func startSubscriber(t *testing.T, address string, configs ...Config) (*Subscriber, *heard) {
	t.Helper()
	for i := range configs {
		configs[i].URL = "mqtt://" + address
		require.NoError(t, configs[i].Check())
	}
	begun := time.Now()
	all := NewSubscribers(configs, func() time.Duration { return time.Since(begun) })
	h := &heard{}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	for _, s := range all {
		s.backoff = mqtt.Backoff{Least: 5 * time.Millisecond, Most: 50 * time.Millisecond}
		go func() { done <- s.Run(ctx, h.take) }()
	}
	t.Cleanup(func() {
		stop()
		for range all {
			require.NoError(t, <-done)
		}
	})
	return all[0], h
}

// subscribed waits until the broker knows of so many subscriptions.
func (b *testBroker) subscribed(t *testing.T, n int64) {
	t.Helper()
	eventually(t, func() bool { return b.Info.Clone().Subscriptions >= n })
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, time.Millisecond)
}

// Several sensors share one connection; what the broker had kept does not count, but
// for whether a device is there.
func TestSubscriber(t *testing.T) {
	b := startBroker(t, "127.0.0.1:0", "")
	defer b.Close()
	send := func(topic, payload string, retain bool) {
		require.NoError(t, b.Publish(topic, []byte(payload), retain, 0))
	}
	send("z/hall", `{"temperature":99}`, true)
	send("z/hall/availability", "offline", true)
	hall := mqttSensor("z/hall", map[string]string{"temperature": "t"})
	hall.Availability = "z/hall/availability"
	regions := mqttSensor("r/+", nil)
	regions.DataFormat = FormatRegions
	office := mqttSensor("office/sensor/+/state", map[string]string{"co2": "co2"})
	_, h := startSubscriber(t, b.address, hall, office, regions)
	eventually(t, func() bool { _, failures := h.of(0); return len(failures) == 1 })
	_, failures := h.of(0)
	require.ErrorIs(t, failures[0], ErrUnplugged)
	require.ErrorContains(t, failures[0], `z/hall/availability says "offline"`)
	b.subscribed(t, 4)

	send("z/hall/availability", "online", true)
	send("z/hall", `{"temperature":21.5}`, true)
	send("office/sensor/co2/state", "812", false)
	send("r/camera", `{"regions":{"camera":[[1,2]]}}`, false)
	eventually(t, func() bool {
		temperatures, _ := h.of(0)
		co2, _ := h.of(1)
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(temperatures) == 1 && temperatures[0] == 21.5 && len(co2) == 1 && co2[0] == 812 &&
			string(h.all[len(h.all)-1].Push) == `{"regions":{"camera":[[1,2]]}}`
	})
	require.Equal(t, 1, b.Clients.Len()-1, "besides the broker's own")

	// What is too long fails its sensor, or does not get here at all, and the
	// connection lasts.
	pushed := func() (sizes []int) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, r := range h.all {
			if r.Push != nil {
				sizes = append(sizes, len(r.Push))
			}
		}
		return sizes
	}
	send("r/camera", strings.Repeat(" ", maxRegions), false)
	send("r/camera", strings.Repeat(" ", maxRegions+1), false)
	send("r/camera", strings.Repeat(" ", 2*maxRegions), false)
	send("r/camera", "{}", false)
	eventually(t, func() bool { return len(pushed()) == 3 })
	require.Equal(t, []int{maxRegions, 2}, pushed()[1:])
	_, failures = h.of(2)
	require.Len(t, failures, 1)
	require.ErrorContains(t, failures[0], "a message of 1048577 bytes on r/camera, more than 1048576")
	require.Equal(t, 1, b.Clients.Len()-1)
}

func TestSubscribersPerLogin(t *testing.T) {
	a, b, c := mqttSensor("a", map[string]string{"value": "a"}), mqttSensor("b", map[string]string{"value": "b"}), mqttSensor("c", map[string]string{"value": "c"})
	c.Username = "other"
	all := NewSubscribers([]Config{a, {Type: Push}, b, c}, nil)
	require.Len(t, all, 2)
	require.Equal(t, []int{0, 2}, all[0].Sensors())
	require.Equal(t, []int{3}, all[1].Sensors())
	require.Equal(t, "broker mqtt://broker as other", all[1].Name())
	<-all[0].Started()
}

// A broker that is not there, or goes away, is a failure of every sensor, again and
// again, and is mended by itself.
func TestSubscriberReconnects(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	_, h := startSubscriber(t, address, mqttSensor("a", map[string]string{"value": "a"}), mqttSensor("b", map[string]string{"value": "b"}))
	for round := range 2 {
		eventually(t, func() bool { _, a := h.of(0); _, b := h.of(1); return len(a) >= 3*(round+1) && len(b) >= 3*(round+1) })
		_, failures := h.of(0)
		require.ErrorContains(t, failures[0], "broker "+address)
		require.False(t, errors.Is(failures[0], ErrUnplugged), "one lost connection does not take a sensor down")
		b := startBroker(t, address, "")
		b.subscribed(t, 2)
		require.NoError(t, b.Publish("b", []byte("7"), false, 0))
		eventually(t, func() bool { values, _ := h.of(1); return len(values) == round+1 })
		h.mu.Lock()
		h.all = append([]Reading(nil), h.all...)
		h.mu.Unlock()
		require.NoError(t, b.Close())
	}
}

// A topic that the broker keeps to itself takes its sensor down, and no other.
func TestSubscriberRefused(t *testing.T) {
	b := startBroker(t, "127.0.0.1:0", "secret")
	defer b.Close()
	_, h := startSubscriber(t, b.address, mqttSensor("secret", map[string]string{"value": "a"}), mqttSensor("b", map[string]string{"value": "b"}))
	eventually(t, func() bool { _, failures := h.of(0); return len(failures) == 1 })
	_, failures := h.of(0)
	require.ErrorIs(t, failures[0], ErrUnplugged)
	require.ErrorContains(t, failures[0], "refused a subscription to secret")
	b.subscribed(t, 1)
	require.NoError(t, b.Publish("b", []byte("7"), false, 0))
	eventually(t, func() bool { values, _ := h.of(1); return len(values) == 1 })
}

// A flood is read at a bounded pace; what finds no room is dropped and counted.
func TestSubscriberFlood(t *testing.T) {
	b := startBroker(t, "127.0.0.1:0", "")
	defer b.Close()
	s, h := startSubscriber(t, b.address, mqttSensor("a", map[string]string{"value": "a"}))
	b.subscribed(t, 1)
	sent := 0
	eventually(t, func() bool {
		for range 100 {
			require.NoError(t, b.Publish("a", []byte("1"), false, 0))
			sent++
		}
		return s.Dropped() > 0
	})
	values, failures := h.of(0)
	require.Empty(t, failures)
	require.LessOrEqual(t, len(values), sent)
	eventually(t, func() bool {
		require.NoError(t, b.Publish("a", []byte("2"), false, 0))
		values, _ := h.of(0)
		return len(values) > 0 && values[len(values)-1] == 2
	})
}

// FuzzMQTTMessage: whatever comes on a topic, a reading holds finite values of the
// channels that are asked for, or an error.
func FuzzMQTTMessage(f *testing.F) {
	for _, payload := range []string{"1.5", "ON", "nan", `{"a":1,"b":{"c":"2"}}`, "[1,[2]]", "a b=1,c=2i 5", "\x00", `{"a":1e999}`, `{"":{"":1}}`} {
		f.Add("x/y", payload, false)
		f.Add("x/y/z", payload, true)
	}
	f.Fuzz(func(t *testing.T, name, payload string, influx bool) {
		config := mqttSensor("x/#", map[string]string{"y": "y", "y.a": "a", "y.b.c": "c", "b": "b", "y.z": "z"})
		if influx {
			config.DataFormat = FormatInflux
		}
		s := &topic{config: config.WithDefaults()}
		s.read(arrived{Message: mqtt.Message{Topic: name, Payload: []byte(payload)}}, func(r Reading) {
			require.True(t, (r.Err == nil) == (len(r.Samples) > 0))
			for _, sample := range r.Samples {
				require.True(t, isFinite(sample.Value))
				require.Contains(t, []string{"y", "a", "c", "b", "z"}, sample.Channel)
			}
		})
	})
}
