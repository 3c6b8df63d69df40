/* Reads and writes the vectors of `backproof vectors` line by line: each tensor of a header stands on a line of
   its own, so that no JSON library is needed. Numbers are read as double, whatever they are stored as. */
#ifndef READER_H
#define READER_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TENSORS = 256, MOST_LINE = 4096 };

typedef struct {
    char name[64];
    int n_dims, shape[2];
    long count;
    double *data;
} Tensor;

typedef struct {
    char activation[32], loss[32], dtype[16];
    int n_layers, n_tensors;
    Tensor tensors[MOST_TENSORS];
} Problem;

static Tensor *find(Problem *p, const char *name) {
    for (int i = 0; i < p->n_tensors; i++)
        if (!strcmp(p->tensors[i].name, name)) return &p->tensors[i];
    return NULL;
}

/* The text between the quotes after "key": */
static void text_after(const char *line, const char *key, char *to) {
    const char *at = strstr(line, key);
    if (at) sscanf(at + strlen(key), " \"%31[^\"]\"", to);
}

static int read_problem(const char *folder, const char *name, Problem *p) {
    char path[1024], line[MOST_LINE], dtype[32] = "";
    memset(p, 0, sizeof *p);
    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    FILE *header = fopen(path, "r");
    snprintf(path, sizeof path, "%s/%s.bin", folder, name);
    FILE *numbers = fopen(path, "rb");
    if (!header || !numbers) return 0;
    while (fgets(line, sizeof line, header)) {
        if (!strstr(line, "\"role\"")) {
            text_after(line, "\"activation\":", p->activation);
            text_after(line, "\"loss\":", p->loss);
            if (strstr(line, "\"layer_sizes\":"))
                for (char *c = line; *c; c++) p->n_layers += *c == ',';
            char *at = strstr(line, "\"dtype\":");
            if (at) sscanf(at + 8, " \"%15[^\"]\"", p->dtype);
            continue;
        }
        if (!strstr(line, "\"given\"")) continue;
        Tensor *t = &p->tensors[p->n_tensors++];
        text_after(line, "\"name\":", t->name);
        text_after(line, "\"dtype\":", dtype);
        t->n_dims = sscanf(strstr(line, "\"shape\":") + 8, " [%d, %d]", &t->shape[0], &t->shape[1]);
        t->count = t->n_dims == 2 ? (long)t->shape[0] * t->shape[1] : t->shape[0];
        t->data = malloc(sizeof(double) * t->count);
        fseek(numbers, atol(strstr(line, "\"offset\":") + 9), SEEK_SET);
        for (long i = 0; i < t->count; i++) {
            union { double d; float f; int64_t n; } one;
            if (fread(&one, !strcmp(dtype, "float32") ? 4 : 8, 1, numbers) != 1) return 0;
            t->data[i] = dtype[0] == 'i' ? (double)one.n : !strcmp(dtype, "float32") ? one.f : one.d;
        }
    }
    p->n_layers -= 1; /* the line itself ends with a comma */
    fclose(header);
    fclose(numbers);
    return 1;
}

static void write_tensor(FILE *header, FILE *numbers, const char *dtype, const Tensor *t, int first) {
    fprintf(header, "%s{\"name\": \"%s\", \"dtype\": \"%s\", \"shape\": [", first ? "" : ",\n", t->name, dtype);
    for (int i = 0; i < t->n_dims; i++) fprintf(header, i ? ", %d" : "%d", t->shape[i]);
    fprintf(header, "], \"offset\": %ld}", ftell(numbers));
    for (long i = 0; i < t->count; i++) {
        float single = (float)t->data[i];
        if (!strcmp(dtype, "float32")) fwrite(&single, 4, 1, numbers);
        else fwrite(&t->data[i], 8, 1, numbers);
    }
}
#endif
