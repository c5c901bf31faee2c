package sink

import (
	"net"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/result"
)

// hostileBroker lets everybody in who connects and then does what script says. A
// connection ends when script does.
func hostileBroker(t *testing.T, script func(c net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var group sync.WaitGroup
	group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				if _, err := packets.ReadPacket(c); err == nil {
					script(c)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		group.Wait()
	})
	return l.Addr().String()
}

func send(c net.Conn, b ...byte) { _, _ = c.Write(b) }

// welcome is a CONNACK without properties.
func welcome(c net.Conn) { send(c, 0x20, 0x03, 0x00, 0x00, 0x00) }

// Row 47 of the fault list: whatever a broker sends, the sink gives the connection
// up, tries again, and allocates no more than a packet may have.
func TestRow47MalformedFromBroker(t *testing.T) {
	scripts := map[string][]byte{
		"nothing":               {},
		"text":                  []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"256 MiB":               {0x30, 0xff, 0xff, 0xff, 0x7f},
		"five digits":           {0x40, 0x80, 0x80, 0x80, 0x80, 0x01},
		"CONNACK again":         {0x20, 0x03, 0x00, 0x00, 0x00},
		"empty PUBACK":          {0x40, 0x00},
		"short PUBACK":          {0x40, 0x01, 0x00},
		"empty PUBLISH":         {0x30, 0x00},
		"topic without an end":  {0x30, 0x04, 0xff, 0xff, 'a', 'b'},
		"property without end":  {0x30, 0x06, 0x00, 0x01, 't', 0xff, 0x26, 0x00},
		"unknown property":      {0x30, 0x06, 0x00, 0x01, 't', 0x02, 0x7f, 0x00},
		"PUBREC of nobody":      {0x50, 0x02, 0x12, 0x34},
		"PUBLISH of QoS 2":      {0x34, 0x06, 0x00, 0x01, 't', 0x00, 0x01, 0x00},
		"AUTH":                  {0xf0, 0x02, 0x18, 0x00},
		"DISCONNECT":            {0xe0, 0x02, 0x8b, 0x00},
		"DISCONNECT cut short":  {0xe0, 0x05, 0x8b},
		"DISCONNECT, then more": {0xe0, 0x00, 0x50, 0x02, 0x00, 0x01, 0x50, 0x02, 0x00, 0x01},
		"type 0":                {0x00, 0x00},
	}
	for name, bytes := range scripts {
		for _, when := range []string{"instead of CONNACK", "after it"} {
			t.Run(name+" "+when, func(t *testing.T) {
				address := hostileBroker(t, func(c net.Conn) {
					if when == "after it" {
						welcome(c)
					}
					send(c, bytes...)
				})
				var start, end runtime.MemStats
				runtime.ReadMemStats(&start)
				m, _ := startMQTT(t, address, Config{HomeAssistant: true}, quick)
				m.Offer(answer(1))
				eventually(t, "two attempts", func() bool { return m.Errors() >= 2 })
				runtime.ReadMemStats(&end)
				require.Error(t, m.LastError())
				require.Zero(t, m.Written())
				require.Less(t, end.TotalAlloc-start.TotalAlloc, uint64(64<<20), "nothing like 256 MiB at a time")
			})
		}
	}
}

// A broker that claims a method of authentication nobody asked for.
func TestMQTTUnaskedAuthMethod(t *testing.T) {
	address := hostileBroker(t, func(c net.Conn) {
		send(c, 0x20, 0x09, 0x00, 0x00, 0x06, 0x15, 0x00, 0x03, 'a', 'b', 'c')
		_, _ = packets.ReadPacket(c)
	})
	m, _ := startMQTT(t, address, Config{}, quick)
	eventually(t, "accepted all the same", func() bool { return m.Connects() >= 2 })
}

// Row 48: acknowledgements of messages that were never sent, the same one twice,
// and none at all. What is not acknowledged is not lost, and nothing piles up.
func TestRow48WrongAcknowledgements(t *testing.T) {
	timing := quick
	timing.answer = 30 * time.Millisecond
	t.Run("wrong id", func(t *testing.T) {
		address := hostileBroker(t, func(c net.Conn) {
			welcome(c)
			for {
				p, err := packets.ReadPacket(c)
				if err != nil {
					return
				}
				id := p.PacketID() + 1000
				send(c, 0x40, 0x02, byte(id>>8), byte(id))
			}
		})
		m, _ := startMQTT(t, address, Config{Queue: 4}, timing)
		for seq := range uint64(20) {
			m.Offer(labelled(seq+1, strconv.Itoa(int(seq))))
		}
		eventually(t, "several attempts", func() bool { return m.Errors() >= 3 })
		require.Zero(t, m.Written())
		require.LessOrEqual(t, m.Len(), 4)
		require.ErrorContains(t, m.LastError(), "deadline exceeded")
	})
	t.Run("never", func(t *testing.T) {
		address := hostileBroker(t, func(c net.Conn) {
			welcome(c)
			for {
				if _, err := packets.ReadPacket(c); err != nil {
					return
				}
			}
		})
		m, _ := startMQTT(t, address, Config{}, timing)
		m.Offer(answer(1))
		eventually(t, "several attempts", func() bool { return m.Errors() >= 3 })
		require.Zero(t, m.Written())
	})
	t.Run("twice", func(t *testing.T) {
		address := hostileBroker(t, func(c net.Conn) {
			welcome(c)
			acknowledge(c, 2)
		})
		m, _ := startMQTT(t, address, Config{}, quick)
		for seq := range uint64(20) {
			m.Offer(labelled(seq+1, strconv.Itoa(int(seq))))
		}
		eventually(t, "all", func() bool { return m.Written() == 20 })
		require.NoError(t, closeInTime(t, m))
		require.EqualValues(t, 1, m.Connects())
	})
}

// acknowledge answers every PUBLISH so many times.
func acknowledge(c net.Conn, times int) {
	for {
		p, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		for range times {
			if id := p.PacketID(); p.Type == packets.PUBLISH {
				send(c, 0x40, 0x02, byte(id>>8), byte(id))
			}
		}
	}
}

// A message that is too long for a broker is passed over, and does not end one
// connection after the other.
func TestMQTTBrokerForShortPackets(t *testing.T) {
	address := hostileBroker(t, func(c net.Conn) {
		send(c, 0x20, 0x08, 0x00, 0x00, 0x05, 0x27, 0x00, 0x00, 300>>8, 300&0xff) // maximum packet size
		acknowledge(c, 1)
	})
	m, _ := startMQTT(t, address, Config{}, quick)
	m.Offer(answer(1))
	eventually(t, "refused", func() bool { return m.Errors() == 1 })
	require.ErrorContains(t, m.LastError(), "the broker refused packets of more than 300 bytes")
	m.Offer(&result.Result{Seq: 2, Label: "empty"})
	eventually(t, "delivered", func() bool { return m.Written() == 1 })
	require.NoError(t, closeInTime(t, m))
	require.EqualValues(t, 1, m.Connects())
}
