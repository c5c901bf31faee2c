package ragedge

import "math"

// probePerCall is how many multiply-adds or loaded values an assembly call of a
// probe takes at most, for the reason of perCall. As multiply-adds it is also few
// enough for a float32 to count.
const probePerCall = 1 << 20

// ProbeFMA does at least n multiply-adds as fast as the CPU can with the kernel
// set in use, and returns how many: as many vectors at a time as it has registers
// for, without loads or stores. Every product is 1, and the sums are the count.
// Plain Go multiplies and adds in two steps, as its kernels do.
//
// Two operations each over the time it takes are the peak that a matrix product
// is held against.
func ProbeFMA(n int) (done int) {
	for done < n {
		done += int(probeFMA(min(n-done, probePerCall)))
	}
	return done
}

// ProbeLoads reads x from start to end, so many times, with the widest loads of
// the kernel set in use, and computes nothing. It returns how many bytes it read:
// values at the end of x that do not fill a block of 128 are left out, or of 8 in
// plain Go.
//
// Bytes over the time it takes are the bandwidth of the cache, or of the memory,
// that holds x.
func ProbeLoads(x []float32, times int) (bytes int) {
	if len(x) > probePerCall {
		for range times {
			for part := x; len(part) > 0; part = part[min(len(part), probePerCall):] {
				bytes += ProbeLoads(part[:min(len(part), probePerCall)], 1)
			}
		}
		return bytes
	}
	block := probeBlock()
	x = x[:len(x)-len(x)%block]
	if len(x) == 0 {
		return 0
	}
	atOnce := probePerCall / len(x)
	for left := times; left > 0; left -= atOnce {
		probeLoads(x, min(left, atOnce))
	}
	return 4 * len(x) * max(times, 0)
}

// plainBlock is how many values of x an iteration of plainLoads reads.
const plainBlock = 8

// plainFMA does n multiply-adds or a little more, each rounded twice, on twelve
// sums, and returns how many.
func plainFMA(n int) float32 {
	return plainSums(n, 1)
}

// plainSums wants 1 for one, which the compiler must not know.
//
//go:noinline
func plainSums(n int, one float32) float32 {
	var a, b, c, d, e, f, g, h, i, j, k, l float32
	for ; n > 0; n -= 12 {
		a = float32(a*one) + one
		b = float32(b*one) + one
		c = float32(c*one) + one
		d = float32(d*one) + one
		e = float32(e*one) + one
		f = float32(f*one) + one
		g = float32(g*one) + one
		h = float32(h*one) + one
		i = float32(i*one) + one
		j = float32(j*one) + one
		k = float32(k*one) + one
		l = float32(l*one) + one
	}
	return a + b + c + d + e + f + g + h + i + j + k + l
}

// plainLoads reads x, whole blocks of it, so many times. It returns a value that
// depends on all of x, or the compiler would leave the loads out.
//
//go:noinline
func plainLoads(x []float32, times int) uint32 {
	var a, b uint32
	for range times {
		for y := x; len(y) >= plainBlock; y = y[plainBlock:] {
			a |= math.Float32bits(y[0]) | math.Float32bits(y[1]) | math.Float32bits(y[2]) | math.Float32bits(y[3])
			b |= math.Float32bits(y[4]) | math.Float32bits(y[5]) | math.Float32bits(y[6]) | math.Float32bits(y[7])
		}
	}
	return a | b
}
