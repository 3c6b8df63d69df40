/* A small network in C that answers the vectors: network FOLDER ANSWERS NAME...
   Built with -DMISTAKE=1 the weights are not transposed on the way back where they are square, with -DMISTAKE=2
   every bias gradient is averaged where it should be summed. */
#include <math.h>
#include "reader.h"
#ifndef MISTAKE
#define MISTAKE 0
#endif

static Problem problem;
static Tensor found[MOST_TENSORS];
static int n_found;

static double kept(double value) { return strcmp(problem.dtype, "float32") ? value : (float)value; }
static double sigmoid(double z) { return z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z)); }

static double activation(double z) {
    switch (problem.activation[0]) {
    case 'r': return z > 0 ? z : 0;
    case 't': return tanh(z);
    case 's': return sigmoid(z);
    default: return z;
    }
}

static double slope(double z) {
    switch (problem.activation[0]) {
    case 'r': return z > 0;
    case 't': return 1 - tanh(z) * tanh(z);
    case 's': return sigmoid(z) * sigmoid(-z);
    default: return 1;
    }
}

static Tensor *put(const char *kind, int layer, int n_dims, int n, int m) {
    Tensor *t = &found[n_found++];
    if (layer) snprintf(t->name, sizeof t->name, "%s%d", kind, layer);
    else snprintf(t->name, sizeof t->name, "%s", kind);
    t->n_dims = n_dims, t->shape[0] = n, t->shape[1] = m, t->count = n_dims == 2 ? (long)n * m : n_dims ? n : 1;
    t->data = calloc(t->count, sizeof(double));
    return t;
}

static Tensor *given(const char *kind, int layer) {
    char name[32];
    snprintf(name, sizeof name, "%s%d", kind, layer);
    return find(&problem, name);
}

static double loss_and_delta(const Tensor *z, const double *t, double *delta) {
    int n = z->shape[0], k = z->shape[1];
    double loss = 0;
    for (int i = 0; i < n; i++) {
        const double *row = z->data + (long)i * k;
        double largest = row[0], sum = 0;
        for (int j = 1; j < k; j++) largest = fmax(largest, row[j]);
        for (int j = 0; j < k; j++) sum += exp(row[j] - largest);
        if (problem.loss[0] == 'c') loss += (largest + log(sum) - row[(int)t[i]]) / n;
        for (int j = 0; j < k; j++) {
            double y = problem.loss[0] == 'c' ? 0 : t[(long)i * k + j], *d = delta + (long)i * k + j;
            double size = problem.loss[0] == 's' ? 1 : n * k;
            if (problem.loss[0] == 'c') *d = (exp(row[j] - largest) / sum - ((int)t[i] == j)) / n;
            else if (problem.loss[0] == 'b') {
                loss += (fmax(row[j], 0) - row[j] * y + log1p(exp(-fabs(row[j])))) / size;
                *d = (sigmoid(row[j]) - y) / size;
            } else loss += (row[j] - y) * (row[j] - y) / size, *d = 2 * (row[j] - y) / size;
        }
    }
    return loss;
}

static void answer(void) {
    int n_layers = problem.n_layers;
    Tensor *inputs[16], *z[16], *delta;
    inputs[0] = find(&problem, "x");
    for (int l = 1; l <= n_layers; l++) {
        const Tensor *a = inputs[l - 1], *W = given("W", l), *b = given("b", l);
        int n = a->shape[0], m = W->shape[0], k = W->shape[1];
        z[l] = put(l == n_layers ? "logits" : "z", l == n_layers ? 0 : l, 2, n, k);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < k; j++) {
                double sum = b->data[j];
                for (int q = 0; q < m; q++) sum += a->data[(long)i * m + q] * W->data[(long)q * k + j];
                z[l]->data[(long)i * k + j] = kept(sum);
            }
        if (l == n_layers) break;
        inputs[l] = put("a", l, 2, n, k);
        for (long i = 0; i < z[l]->count; i++) inputs[l]->data[i] = kept(activation(z[l]->data[i]));
    }
    Tensor *loss = put("loss", 0, 0, 0, 0);
    delta = put("delta", n_layers, 2, z[n_layers]->shape[0], z[n_layers]->shape[1]);
    loss->data[0] = kept(loss_and_delta(z[n_layers], find(&problem, "targets")->data, delta->data));
    for (long i = 0; i < delta->count; i++) delta->data[i] = kept(delta->data[i]);
    for (int l = n_layers; l >= 1; l--) {
        const Tensor *a = inputs[l - 1], *W = given("W", l);
        int n = a->shape[0], m = W->shape[0], k = W->shape[1];
        Tensor *dW = put("dW", l, 2, m, k), *db = put("db", l, 1, k, 0);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < k; j++) {
                double d = delta->data[(long)i * k + j];
                db->data[j] += MISTAKE == 2 ? d / n : d;
                for (int q = 0; q < m; q++) dW->data[(long)q * k + j] += a->data[(long)i * m + q] * d;
            }
        for (long i = 0; i < dW->count; i++) dW->data[i] = kept(dW->data[i]);
        for (long i = 0; i < db->count; i++) db->data[i] = kept(db->data[i]);
        if (l == 1) break;
        Tensor *below = put("delta", l - 1, 2, n, m);
        for (int i = 0; i < n; i++)
            for (int q = 0; q < m; q++) {
                double sum = 0;
                for (int j = 0; j < k; j++) {
                    long at = MISTAKE == 1 && m == k ? (long)j * k + q : (long)q * k + j;
                    sum += delta->data[(long)i * k + j] * W->data[at];
                }
                below->data[(long)i * m + q] = kept(sum * slope(z[l - 1]->data[(long)i * m + q]));
            }
        delta = below;
    }
}

int main(int argc, char **argv) {
    for (int i = 3; i < argc; i++) {
        char path[1024];
        if (!read_problem(argv[1], argv[i], &problem)) return 2;
        n_found = 0;
        answer();
        snprintf(path, sizeof path, "%s/%s.json", argv[2], argv[i]);
        FILE *header = fopen(path, "w");
        snprintf(path, sizeof path, "%s/%s.bin", argv[2], argv[i]);
        FILE *numbers = fopen(path, "wb");
        if (!header || !numbers) return 2;
        fprintf(header, "{\"tensors\": [\n");
        for (int t = 0; t < n_found; t++) write_tensor(header, numbers, problem.dtype, &found[t], !t);
        fprintf(header, "\n]}\n");
        fclose(header), fclose(numbers);
    }
    return 0;
}
