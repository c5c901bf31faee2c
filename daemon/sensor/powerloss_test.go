package sensor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/encoder"
	"github.com/stretchr/testify/require"
)

// forget makes a chip's register what it is when power comes on.
func (s *sim) forget(id identity) {
	register := 0
	for _, b := range []byte(id.register) {
		register = register<<8 | int(b)
	}
	if s.words != nil {
		s.words[register] = uint16(id.value[0])<<8 | uint16(id.value[1])
		return
	}
	s.block(register, []byte(id.value)...)
}

// TestRow34PowerLossByRegister: a chip that comes back with the settings of the
// factory does not go unnoticed, whatever it reads then, and is set up again.
func TestRow34PowerLossByRegister(t *testing.T) {
	n := 0
	for name, d := range table {
		if len(d.lost.reset.register) == 0 {
			continue
		}
		n++
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := &simBus{chips: chipTests[name].chips(), fails: -1}
				s := onBus(t, name, bus)
				require.NoError(t, measure(s), "configured, it is not taken for one that lost its power")
				_, err := s.call()
				require.NoError(t, err)
				for _, chip := range bus.chips {
					chip.forget(d.lost.reset)
				}
				_, err = s.call()
				require.ErrorIs(t, err, errPowerLost)
				require.NoError(t, measure(s), "configured again it measures")
			})
		})
	}
	require.Greater(t, n, 15)
}

// The bh1750 has no register to read: its 0 counts when it reads 0 again with its
// mode set anew, so that no 0 of a lost mode ever counts.
func TestRow34PowerLossByZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := newFakeBus()
		b := start(t, bus, light("desk"))
		b.pass(5*time.Second + 500*time.Millisecond)
		bus.change(bus.chips[0x23].powerCut)
		b.pass(5 * time.Second)
		require.Empty(t, b.log.errors())
		require.Len(t, b.log.values(), 11, "none is missing")
		for _, v := range b.log.values() {
			require.Equal(t, fakeLux, v)
		}
		require.NoError(t, b.end())
	})
	t.Run("a dark room is no loss", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			bus := newFakeBus()
			bus.chips[0x23].count = 0
			b := start(t, bus, light("desk"))
			b.pass(10 * time.Minute)
			require.Empty(t, b.log.errors())
			require.InDelta(t, 600, len(b.log.values()), 15)
			require.InDelta(t, 600+4*10, bus.count(), 20, "its mode is set once a minute")
			// Power goes and comes in the dark; then somebody switches the light on.
			bus.change(func() { bus.chips[0x23].powerCut(); bus.chips[0x23].count = fakeCount })
			b.pass(time.Minute + 2*time.Second)
			got := b.log.values()
			require.Equal(t, fakeLux, got[len(got)-1])
			require.NoError(t, b.end())
		})
	})
}

// TestRow34PowerLossIsMendedAtOnce: the reading that noticed is the only one that
// is missing.
func TestRow34PowerLossIsMendedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chips := chipTests["mpu6050"].chips()
		bus := &simBus{chips: chips, fails: -1}
		origin := time.Now().Add(-time.Second)
		c := Config{Alias: "imu", Type: I2C, Driver: "mpu6050", Bus: "1"}.WithDefaults()
		p := newPoller("1", 0, func() time.Duration { return time.Since(origin) })
		p.add(0, c, newI2CSensor(c, &lazyBus{open: func(string) (Bus, error) { return bus, nil }}))
		var l log
		step := func() { require.NoError(t, p.step(p.sensors[0], l.deliver)) }
		step()
		step()
		require.Empty(t, l.errors())
		chips[0x68].block(0x6b, 0x40)
		step()
		require.ErrorIs(t, l.errors()[0], errPowerLost)
		require.ErrorContains(t, l.errors()[0], "mpu6050 at 0x68 on I2C bus 1: it lost its power")
		require.LessOrEqual(t, p.sensors[0].due, p.now(), "configured without a wait")
		step()
		require.NotEqual(t, byte(0x40), chips[0x68].bytes[0x6b])
		step()
		require.Len(t, l.errors(), 1)
		require.Len(t, l.all(), 3)

		// One that does not take its settings is not asked all the time.
		chips[0x68].fixed = []int{0x6b}
		chips[0x68].block(0x6b, 0x40)
		for range 6 {
			step()
		}
		require.Greater(t, p.sensors[0].due, p.now())
	})
}

func TestReinit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := newFakeBus()
		c := light("desk")
		c.Reinit = encoder.Duration(10 * time.Minute)
		b := start(t, bus, c)
		b.pass(time.Hour)
		require.Empty(t, b.log.errors())
		require.InDelta(t, 3600, len(b.log.values()), 10)
		require.Equal(t, len(b.log.values())+2*6, bus.count(), "two transfers configure it, at the start and every ten minutes")
		require.NoError(t, b.end())
	})
}

// TestRow35AllOnes: a chip whose line hangs high gives no value. Numbers of two
// bytes can be true, and have checks of their own.
func TestRow35AllOnes(t *testing.T) {
	for name := range table {
		synctest.Test(t, func(t *testing.T) {
			s := onBus(t, name, &simBus{chips: chipTests[name].chips(), fails: -1})
			require.NoError(t, measure(s))
			s.device.(*i2cSensor).transfer.bus.bus.(*simBus).noise = func() byte { return 0xff }
			_, err := s.call()
			switch name {
			case "adt7410", "lm75", "tmp102", "mcp9808", "veml6070":
			default:
				require.Error(t, err, name)
			}
		})
	}
}
