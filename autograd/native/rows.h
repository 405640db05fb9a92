/* The rows of autograd/ops/elementwise.py in C. `make native` writes this file. */
#define FINGERPRINT "19f7d788795e30cf"

/* X(name, whether its partials are constants) */
#define UNARY_ROWS(X) X(identity, 1) X(neg, 1) X(square, 0) X(reciprocal, 0) X(abs, 0) X(sign, 1) X(exp, 0) X(expm1, 0) X(exp2, 0) X(log, 0) X(log1p, 0) X(log2, 0) X(log10, 0) X(sqrt, 0) X(cbrt, 0) X(sin, 0) X(cos, 0) X(tan, 0) X(asin, 0) X(acos, 0) X(atan, 0) X(arcsinh, 0) X(arccosh, 0) X(arctanh, 0) X(deg2rad, 1) X(rad2deg, 1) X(sinh, 0) X(cosh, 0) X(tanh, 0) X(sigmoid, 0) X(softplus, 0) X(relu, 0) X(erf, 0) X(erfc, 0) X(gelu, 0) X(silu, 0)
#define BINARY_ROWS(X) X(add, 1) X(sub, 1) X(mul, 0) X(div, 0) X(floordiv, 1) X(remainder, 0) X(fmod, 0) X(power, 0) X(copysign, 0) X(hypot, 0) X(logaddexp, 0) X(logaddexp2, 0) X(atan2, 0) X(leaky_relu, 0) X(elu, 0) X(maximum, 0) X(minimum, 0) X(fmax, 0) X(fmin, 0)

static inline double value_add(double x, double y);
static inline double value_sub(double x, double y);
static inline double value_mul(double x, double y);
static inline double value_div(double x, double y);
static inline double value_floordiv(double x, double y);
static inline double value_remainder(double x, double y);
static inline double value_fmod(double x, double y);
static inline double value_power(double x, double y);
static inline double value_identity(double x);
static inline double value_neg(double x);
static inline double value_square(double x);
static inline double value_reciprocal(double x);
static inline double value_abs(double x);
static inline double value_sign(double x);
static inline double value_copysign(double x, double y);
static inline double value_hypot(double x, double y);
static inline double value_exp(double x);
static inline double value_expm1(double x);
static inline double value_exp2(double x);
static inline double value_log(double x);
static inline double value_log1p(double x);
static inline double value_log2(double x);
static inline double value_log10(double x);
static inline double value_sqrt(double x);
static inline double value_cbrt(double x);
static inline double value_logaddexp(double x, double y);
static inline double value_logaddexp2(double x, double y);
static inline double value_sin(double x);
static inline double value_cos(double x);
static inline double value_tan(double x);
static inline double value_asin(double x);
static inline double value_acos(double x);
static inline double value_atan(double x);
static inline double value_atan2(double y, double x);
static inline double value_arcsinh(double x);
static inline double value_arccosh(double x);
static inline double value_arctanh(double x);
static inline double value_deg2rad(double x);
static inline double value_rad2deg(double x);
static inline double value_sinh(double x);
static inline double value_cosh(double x);
static inline double value_tanh(double x);
static inline double value_sigmoid(double x);
static inline double value_softplus(double x);
static inline double value_relu(double x);
static inline double value_leaky_relu(double x, double slope);
static inline double value_elu(double x, double alpha);
static inline double value_erf(double x);
static inline double value_erfc(double x);
static inline double value_gelu(double x);
static inline double value_silu(double x);
static inline double value_maximum(double x, double y);
static inline double value_minimum(double x, double y);
static inline double value_fmax(double x, double y);
static inline double value_fmin(double x, double y);
static inline double value_clip(double x, double low, double high);

static inline double value_add(double x, double y) { return x + y; }
static inline double value_sub(double x, double y) { return x - y; }
static inline double value_mul(double x, double y) { return x * y; }
static inline double value_div(double x, double y) { return x / y; }
static inline double value_floordiv(double x, double y) { return python_floordiv(x, y); }
static inline double value_remainder(double x, double y) { return python_mod(x, y); }
static inline double value_fmod(double x, double y) { return fmod(x, y); }
static inline double value_power(double x, double y) { return pow(x, y); }
static inline double value_identity(double x) { return x; }
static inline double value_neg(double x) { return -x; }
static inline double value_square(double x) { return x * x; }
static inline double value_reciprocal(double x) { return 1.0 / x; }
static inline double value_abs(double x) { return fabs(x); }
static inline double value_sign(double x) { return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x * 0.0; }
static inline double value_copysign(double x, double y) { return copysign(x, y); }
static inline double value_hypot(double x, double y) { return python_hypot(x, y); }
static inline double value_exp(double x) { return exp(x); }
static inline double value_expm1(double x) { return expm1(x); }
static inline double value_exp2(double x) { return exp2(x); }
static inline double value_log(double x) { return log(x); }
static inline double value_log1p(double x) { return log1p(x); }
static inline double value_log2(double x) { return log2(x); }
static inline double value_log10(double x) { return log10(x); }
static inline double value_sqrt(double x) { return sqrt(x); }
static inline double value_cbrt(double x) { return cbrt(x); }
static inline double value_logaddexp(double x, double y) { return x == y ? x + 0.6931471805599453 : value_maximum(x, y) + value_log1p(value_exp(-value_abs(x - y))); }
static inline double value_logaddexp2(double x, double y) { return x == y ? x + 1.0 : value_maximum(x, y) + value_log1p(value_exp2(-value_abs(x - y))) / 0.6931471805599453; }
static inline double value_sin(double x) { return sin(x); }
static inline double value_cos(double x) { return cos(x); }
static inline double value_tan(double x) { return tan(x); }
static inline double value_asin(double x) { return asin(x); }
static inline double value_acos(double x) { return acos(x); }
static inline double value_atan(double x) { return atan(x); }
static inline double value_atan2(double y, double x) { return atan2(y, x); }
static inline double value_arcsinh(double x) { return asinh(x); }
static inline double value_arccosh(double x) { return acosh(x); }
static inline double value_arctanh(double x) { return atanh(x); }
static inline double value_deg2rad(double x) { return x * 0.017453292519943295; }
static inline double value_rad2deg(double x) { return x * 57.29577951308232; }
static inline double value_sinh(double x) { return sinh(x); }
static inline double value_cosh(double x) { return cosh(x); }
static inline double value_tanh(double x) { return tanh(x); }
static inline double value_sigmoid(double x) { return 1.0 / (1.0 + value_exp(-x)); }
static inline double value_softplus(double x) { return (x > 0.0 ? x : 0.0) + value_log1p(value_exp(-value_abs(x))); }
static inline double value_relu(double x) { return x <= 0.0 ? 0.0 : x; }
static inline double value_leaky_relu(double x, double slope) { return x > 0.0 ? x : slope * x; }
static inline double value_elu(double x, double alpha) { return x > 0.0 ? x : alpha * value_expm1(x); }
static inline double value_erf(double x) { return erf(x); }
static inline double value_erfc(double x) { return erfc(x); }
static inline double value_gelu(double x) { return value_maximum(x, -40.0) * (0.5 * value_erfc(x * -0.7071067811865476)); }
static inline double value_silu(double x) { return value_maximum(x, -800.0) * value_sigmoid(x); }
static inline double value_maximum(double x, double y) { return x >= y || x != x ? x : y; }
static inline double value_minimum(double x, double y) { return x <= y || x != x ? x : y; }
static inline double value_fmax(double x, double y) { return x >= y || y != y ? x : y; }
static inline double value_fmin(double x, double y) { return x <= y || y != y ? x : y; }
static inline double value_clip(double x, double low, double high) { return value_minimum(value_maximum(x, low), high); }

static inline double slope0_add(double out, double x, double y) { return 1.0; }
static inline double slope1_add(double out, double x, double y) { return 1.0; }
static inline double slope0_sub(double out, double x, double y) { return 1.0; }
static inline double slope1_sub(double out, double x, double y) { return -1.0; }
static inline double slope0_mul(double out, double x, double y) { return y; }
static inline double slope1_mul(double out, double x, double y) { return x; }
static inline double slope0_div(double out, double x, double y) { return 1.0 / y; }
static inline double slope1_div(double out, double x, double y) { return -out / y; }
static inline double slope0_floordiv(double out, double x, double y) { return 0.0; }
static inline double slope1_floordiv(double out, double x, double y) { return 0.0; }
static inline double slope0_remainder(double out, double x, double y) { return 1.0; }
static inline double slope1_remainder(double out, double x, double y) { return -value_floordiv(x, y); }
static inline double slope0_fmod(double out, double x, double y) { return 1.0; }
static inline double slope1_fmod(double out, double x, double y) { return -(value_sign(x) * value_sign(y) * value_floordiv(value_abs(x), value_abs(y))); }
static inline double slope0_power(double out, double x, double y) { return y * value_power(x == 0.0 && y == 0.0 ? 1.0 : x, y - 1.0); }
static inline double slope1_power(double out, double x, double y) { return x == 0.0 && y >= 0.0 ? 0.0 : out * value_log(x); }
static inline double slope0_identity(double out, double x) { return 1.0; }
static inline double slope0_neg(double out, double x) { return -1.0; }
static inline double slope0_square(double out, double x) { return 2.0 * x; }
static inline double slope0_reciprocal(double out, double x) { return -out * out; }
static inline double slope0_abs(double out, double x) { return value_sign(x); }
static inline double slope0_sign(double out, double x) { return 0.0; }
static inline double slope0_copysign(double out, double x, double y) { return value_sign(x) * value_copysign(1.0, y); }
static inline double slope1_copysign(double out, double x, double y) { return 0.0; }
static inline double slope0_hypot(double out, double x, double y) { return x / (out == 0.0 ? 1.0 : out); }
static inline double slope1_hypot(double out, double x, double y) { return y / (out == 0.0 ? 1.0 : out); }
static inline double slope0_exp(double out, double x) { return out; }
static inline double slope0_expm1(double out, double x) { return value_exp(x); }
static inline double slope0_exp2(double out, double x) { return out * 0.6931471805599453; }
static inline double slope0_log(double out, double x) { return 1.0 / x; }
static inline double slope0_log1p(double out, double x) { return 1.0 / (1.0 + x); }
static inline double slope0_log2(double out, double x) { return 1.0 / (x * 0.6931471805599453); }
static inline double slope0_log10(double out, double x) { return 1.0 / (x * 2.302585092994046); }
static inline double slope0_sqrt(double out, double x) { return 0.5 / out; }
static inline double slope0_cbrt(double out, double x) { return value_power(value_abs(x), -0.6666666666666666) / 3.0; }
static inline double slope0_logaddexp(double out, double x, double y) { return value_sigmoid(x == y && x == 2.0 * x && x < 0.0 ? x : x - y); }
static inline double slope1_logaddexp(double out, double x, double y) { return value_sigmoid(y == x && y == 2.0 * y && y < 0.0 ? y : y - x); }
static inline double slope0_logaddexp2(double out, double x, double y) { return value_sigmoid((x == y && x == 2.0 * x && x < 0.0 ? x : x - y) * 0.6931471805599453); }
static inline double slope1_logaddexp2(double out, double x, double y) { return value_sigmoid((y == x && y == 2.0 * y && y < 0.0 ? y : y - x) * 0.6931471805599453); }
static inline double slope0_sin(double out, double x) { return value_cos(x); }
static inline double slope0_cos(double out, double x) { return -value_sin(x); }
static inline double slope0_tan(double out, double x) { return 1.0 + out * out; }
static inline double slope0_asin(double out, double x) { return 1.0 / value_sqrt(1.0 - x * x); }
static inline double slope0_acos(double out, double x) { return -1.0 / value_sqrt(1.0 - x * x); }
static inline double slope0_atan(double out, double x) { return 1.0 / (1.0 + value_square(x)); }
static inline double slope0_atan2(double out, double y, double x) { return x / value_hypot(x, y) / value_hypot(x, y); }
static inline double slope1_atan2(double out, double y, double x) { return -(y / value_hypot(x, y) / value_hypot(x, y)); }
static inline double slope0_arcsinh(double out, double x) { return 1.0 / value_hypot(value_clip(x, -1e+300, 1e+300), 1.0); }
static inline double slope0_arccosh(double out, double x) { return value_power(x - 1.0, -0.5) * value_power(x + 1.0, -0.5); }
static inline double slope0_arctanh(double out, double x) { return 0.5 / (1.0 - x) + 0.5 / (1.0 + x); }
static inline double slope0_deg2rad(double out, double x) { return 0.017453292519943295; }
static inline double slope0_rad2deg(double out, double x) { return 57.29577951308232; }
static inline double slope0_sinh(double out, double x) { return value_cosh(x); }
static inline double slope0_cosh(double out, double x) { return value_sinh(x); }
static inline double slope0_tanh(double out, double x) { return 1.0 - out * out; }
static inline double slope0_sigmoid(double out, double x) { return out * (1.0 - out); }
static inline double slope0_softplus(double out, double x) { return value_sigmoid(x); }
static inline double slope0_relu(double out, double x) { return value_sign(out); }
static inline double slope0_leaky_relu(double out, double x, double slope) { return x > 0.0 ? 1.0 : slope; }
static inline double slope1_leaky_relu(double out, double x, double slope) { return x > 0.0 ? 0.0 : x; }
static inline double slope0_elu(double out, double x, double alpha) { return x > 0.0 ? 1.0 : alpha * value_exp(x); }
static inline double slope1_elu(double out, double x, double alpha) { return x > 0.0 ? 0.0 : value_expm1(x); }
static inline double slope0_erf(double out, double x) { return 1.1283791670955126 * value_exp(-value_square(x)); }
static inline double slope0_erfc(double out, double x) { return -1.1283791670955126 * value_exp(-value_square(x)); }
static inline double slope0_gelu(double out, double x) { return 0.5 * value_erfc(x * -0.7071067811865476) + value_clip(x, -40.0, 40.0) * value_exp(-0.5 * value_clip(x, -40.0, 40.0) * value_clip(x, -40.0, 40.0)) / 2.5066282746310002; }
static inline double slope0_silu(double out, double x) { return value_sigmoid(x) * (1.0 + value_clip(x, -800.0, 800.0) * value_sigmoid(-x)); }
static inline double slope0_maximum(double out, double x, double y) { return x < y ? 0.0 : x == y ? 0.5 : 1.0; }
static inline double slope1_maximum(double out, double x, double y) { return y < x ? 0.0 : x == y ? 0.5 : 1.0; }
static inline double slope0_minimum(double out, double x, double y) { return x > y ? 0.0 : x == y ? 0.5 : 1.0; }
static inline double slope1_minimum(double out, double x, double y) { return y > x ? 0.0 : x == y ? 0.5 : 1.0; }
static inline double slope0_fmax(double out, double x, double y) { return x > y || y != y ? 1.0 : x == y ? 0.5 : 0.0; }
static inline double slope1_fmax(double out, double x, double y) { return y > x || x != x ? 1.0 : x == y ? 0.5 : 0.0; }
static inline double slope0_fmin(double out, double x, double y) { return x < y || y != y ? 1.0 : x == y ? 0.5 : 0.0; }
static inline double slope1_fmin(double out, double x, double y) { return y < x || x != x ? 1.0 : x == y ? 0.5 : 0.0; }
