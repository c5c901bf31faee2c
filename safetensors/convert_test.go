package safetensors

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFloat32s(t *testing.T) {
	inf := float32(math.Inf(1))
	tests := []struct {
		tensor Tensor
		want   []float32
	}{
		{NewFloat32("w", []float32{1, -0.5, inf, math.MaxFloat32, 0x1p-149}, 5), []float32{1, -0.5, inf, math.MaxFloat32, 0x1p-149}},
		{Tensor{DType: BF16, Data: []byte{0x80, 0x3f, 0x80, 0x7f, 0x49, 0xc0, 1, 0}}, []float32{1, inf, -3.140625, 0x1p-133}},
		{Tensor{DType: I8, Data: []byte{0, 1, 0x7f, 0x80, 0xff}}, []float32{0, 1, 127, -128, -1}},
		{Tensor{DType: F16, Data: []byte{
			0, 0, 0, 0x3c, 0, 0xc0, 0xff, 0x7b, 0, 0x7c, 0, 0xfc, // 0, 1, -2, largest, Inf, -Inf
			1, 0, 0xff, 3, 0, 4, 1, 0x80, // smallest and largest denormal, smallest normal, negative denormal
		}}, []float32{0, 1, -2, 65504, inf, -inf, 0x1p-24, 1023 * 0x1p-24, 0x1p-14, -0x1p-24}},
		{Tensor{DType: F32}, []float32{}},
	}
	for _, test := range tests {
		got, err := test.tensor.Float32s()
		require.NoError(t, err)
		require.Equal(t, test.want, got, "%s", test.tensor.DType)
	}
	for _, bits := range []uint16{0x7c01, 0xfe00, 0x7fff} {
		require.True(t, math.IsNaN(float64(half(bits))))
	}
	require.True(t, math.Signbit(float64(half(0x8000))))
	_, err := (&Tensor{Name: "w", DType: F64}).Float32s()
	require.ErrorContains(t, err, `"w"`)
}

func TestInt64s(t *testing.T) {
	tensor := NewInt64("n", []int64{math.MinInt64, -1, 0, math.MaxInt64}, 4)
	got, err := tensor.Int64s()
	require.NoError(t, err)
	require.Equal(t, []int64{math.MinInt64, -1, 0, math.MaxInt64}, got)
	_, err = (&Tensor{Name: "n", DType: I32}).Int64s()
	require.ErrorContains(t, err, `"n"`)
}
