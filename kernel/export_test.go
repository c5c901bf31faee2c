package kernel

var Exp = exp
