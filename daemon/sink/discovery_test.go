package sink

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/mqtt"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares JSON with a file in testdata.
func golden(t *testing.T, name string, text []byte) {
	t.Helper()
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, text, "", "  "))
	indented.WriteByte('\n')
	path := "testdata/" + name
	if *update {
		require.NoError(t, os.WriteFile(path, indented.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), indented.String())
}

func TestDiscoveryPayload(t *testing.T) {
	text, err := thisTest.payload("ragedge/1a2b3c4d")
	require.NoError(t, err)
	golden(t, "discovery.json", text)
	require.Equal(t, "homeassistant/device/ragedge_1a2b3c4d/config", thisTest.topic())

	regression := Announcement{Board: mqtt.Board{ID: "1a2b3c4d", Name: "Tank"}, Values: 2, Modalities: []string{"level"}}
	text, err = regression.payload("tank")
	require.NoError(t, err)
	golden(t, "discovery_values.json", text)

	collecting := Announcement{Board: mqtt.Board{ID: "1a2b3c4d", Name: "Tank"}, Every: 10 * time.Second,
		Readings: []Channel{{"desk.lux", "lx"}, {"desk_lux", ""}, {"door", ""}, {`odd "name"`, "°C"}}}
	text, err = collecting.payload("tank")
	require.NoError(t, err)
	golden(t, "discovery_readings.json", text)

	labelled := thisTest
	labelled.Labelled = true
	text, err = labelled.payload("ragedge/1a2b3c4d")
	require.NoError(t, err)
	golden(t, "discovery_select.json", text)
}

func TestDiscoveryExpires(t *testing.T) {
	for every, seconds := range map[time.Duration]int{
		0:                        0, // nothing is due at any time
		time.Second:              30,
		10 * time.Second:         30,
		30 * time.Second:         90,
		10500 * time.Millisecond: 32,
	} {
		require.Equal(t, seconds, (&Announcement{Every: every}).expireAfter(), every)
	}
}

// Home Assistant learns of the board when the board connects, and again whenever
// Home Assistant itself has started.
func TestMQTTAnnounces(t *testing.T) {
	b := startBroker(t, nil, nil)
	m, _ := startMQTT(t, b.address, Config{HomeAssistant: true}, quick)
	m.Offer(answer(1))
	m.Offer(answer(2))
	eventually(t, "delivered", func() bool { return m.Written() == 2 })
	want, err := thisTest.payload("ragedge/1a2b3c4d")
	require.NoError(t, err)
	require.Equal(t, string(want), b.retained(thisTest.topic()))
	eventually(t, "announced once", func() bool { return len(b.on(thisTest.topic())) == 1 })

	require.NoError(t, b.Publish(birthTopic, []byte("offline"), true, 1))
	require.NoError(t, b.Publish(birthTopic, []byte("online"), true, 1))
	eventually(t, "announced again, and the state with it", func() bool {
		return len(b.on(thisTest.topic())) == 2 && len(b.payloads(statusTopic)) == 2 &&
			strings.Contains(last(b.payloads(stateTopic)), `"seq":2,`) && len(b.payloads(stateTopic)) >= 2
	})
	finish(t, m, b)
	require.EqualValues(t, 2, m.Written(), "the repetition does not count")

	// A birth from before the connection is no reason to announce twice.
	again, _ := startMQTT(t, b.address, Config{HomeAssistant: true}, quick)
	eventually(t, "online", func() bool { return b.retained(statusTopic) == "online" })
	finish(t, again, b)
	require.Len(t, b.on(thisTest.topic()), 3)
}

func last(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}
