package mqtt

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"
)

// maxPacket is the longest packet that a broker may send in these tests.
const maxPacket = 16 << 10

// readOnly is the receiving half of a connection.
type readOnly struct {
	net.Conn
	io.Reader
}

func (r readOnly) Read(p []byte) (int, error) { return r.Reader.Read(p) }

func incoming(b []byte) *packetConn {
	return newPacketConn(readOnly{Reader: bytes.NewReader(b)}, time.Second, maxPacket)
}

// packet is the encoding of a PUBLISH with a body of n bytes in all.
func packet(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	p := &packets.Publish{Topic: "t", Properties: &packets.Properties{}, Payload: make([]byte, n-4)}
	_, err := p.WriteTo(&b)
	require.NoError(t, err)
	return b.Bytes()
}

func TestPacketConnPassesPacketsOn(t *testing.T) {
	var all []byte
	sizes := []int{4, 5, 126, 127, 128, 129, 511, 512, 513, 4000, maxPacket - 1, maxPacket}
	for _, n := range sizes {
		all = append(all, packet(t, n)...)
	}
	c := incoming(all)
	for _, n := range sizes {
		p, err := packets.ReadPacket(c)
		require.NoError(t, err)
		require.Len(t, p.Content.(*packets.Publish).Payload, n-4)
	}
	_, err := packets.ReadPacket(c)
	require.ErrorIs(t, err, io.EOF)

	whole, err := io.ReadAll(incoming(all))
	require.NoError(t, err)
	require.Equal(t, all, whole)
}

func TestPacketConnEndsAtAHeader(t *testing.T) {
	for name, b := range map[string][]byte{
		"one byte too long": packet(t, maxPacket+1),
		"256 MiB":           {0x30, 0xff, 0xff, 0xff, 0x7f},
		"five digits":       {0x30, 0x80, 0x80, 0x80, 0x80, 0x01},
		"PUBLISH of QoS 1":  {0x32, 0x00},
		"PUBLISH of QoS 2":  {0x34, 0x00},
		"PUBLISH of QoS 3":  {0x36, 0x00},
		"PUBREC":            {0x50, 0x02, 0x00, 0x01},
		"PUBREL":            {0x62, 0x02, 0x00, 0x01},
		"AUTH":              {0xf0, 0x00},
		"CONNECT":           {0x10, 0x00},
		"type 0":            {0x00, 0x00},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := packets.ReadPacket(incoming(b))
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, errPacket)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
		})
	}
}

// FuzzPacketConn: whatever a broker sends, reading it ends in packets or an error.
func FuzzPacketConn(f *testing.F) {
	f.Add([]byte{0x20, 0x03, 0x00, 0x00, 0x00})                   // CONNACK
	f.Add([]byte{0x40, 0x02, 0x00, 0x01, 0x90, 0x04, 0, 1, 0, 0}) // PUBACK, SUBACK
	f.Add([]byte{0x32, 0x07, 0x00, 0x01, 't', 0, 1, 0, 'x'})      // PUBLISH
	f.Add([]byte{0xe0, 0x02, 0x8b, 0x00, 0xd0, 0x00})             // DISCONNECT, PINGRESP
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := incoming(b)
		for {
			p, err := packets.ReadPacket(c)
			if err != nil {
				return
			}
			require.NotNil(t, p)
		}
	})
}

func TestPacketConnWritesInTime(t *testing.T) {
	near, far := net.Pipe() // nobody reads the far end
	defer far.Close()
	c := newPacketConn(near, 20*time.Millisecond, maxPacket)
	_, err := c.Write([]byte{0xc0, 0})
	var timeout net.Error
	require.True(t, errors.As(err, &timeout) && timeout.Timeout(), "%v", err)
}
