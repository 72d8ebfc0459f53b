/* The operations of subjects.py in C, without Python: what libxml2 itself costs.
 *
 * usage: raw FOLDER
 *
 * Reads lines of an operation and a number of runs, and answers each with the seconds per run, or with "-" for an
 * operation that C doesn't have. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>

typedef struct {
    char *bytes;
    int size;
} text;

/* Results are written here, so that no compiler leaves out what computes them. */
static volatile const void *seen;

static double seconds_of(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* The seconds that the processor has worked for this process. */
static double now(void) { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

static void *checked(void *pointer, const char *task) {
    if (pointer == NULL) {
        fprintf(stderr, "raw: cannot %s\n", task);
        exit(1);
    }
    return pointer;
}

static text read_text(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = checked(fopen(path, "rb"), path);
    fseek(file, 0, SEEK_END);
    text result = {.size = (int)ftell(file)};
    result.bytes = checked(malloc((size_t)result.size), "allocate");
    rewind(file);
    if (fread(result.bytes, 1, (size_t)result.size, file) != (size_t)result.size) {
        checked(NULL, path);
    }
    fclose(file);
    return result;
}

static xmlDoc *parse(text source) {
    return checked(xmlReadMemory(source.bytes, source.size, NULL, NULL, XML_PARSE_NONET), "parse");
}

typedef struct {
    text big;
    xmlDoc *rows, *flat, *table;
    int nodes;
} subject;

static double parse_and_release(const subject *self, int count) {
    double start = now();
    for (int run = 0; run < count; run++) {
        xmlFreeDoc(parse(self->big));
    }
    return (now() - start) / count;
}

typedef struct {
    text big;
    int count;
} job;

static void *parse_in_thread(void *argument) {
    job *self = argument;
    for (int run = 0; run < self->count; run++) {
        xmlFreeDoc(parse(self->big));
    }
    return NULL;
}

static double parse_in_threads(const subject *self, int threads, int count) {
    pthread_t ids[2];
    job work = {self->big, count};
    double start = seconds_of(CLOCK_MONOTONIC);
    for (int number = 0; number < threads; number++) {
        if (pthread_create(&ids[number], NULL, parse_in_thread, &work) != 0) {
            checked(NULL, "start a thread");
        }
    }
    for (int number = 0; number < threads; number++) {
        pthread_join(ids[number], NULL);
    }
    return (seconds_of(CLOCK_MONOTONIC) - start) / count;
}

static double evaluate(xmlDoc *document, const char *expression, int count) {
    xmlXPathContext *context = checked(xmlXPathNewContext(document), "make a context");
    xmlXPathCompExpr *compiled = checked(xmlXPathCompile(BAD_CAST expression), "compile");
    double start = now();
    for (int run = 0; run < count; run++) {
        context->node = (xmlNode *)document;
        xmlXPathFreeObject(checked(xmlXPathCompiledEval(compiled, context), "evaluate"));
    }
    double result = (now() - start) / count;
    xmlXPathFreeCompExpr(compiled);
    xmlXPathFreeContext(context);
    return result;
}

static double iterate(const subject *self, int count) {
    double start = now();
    for (int run = 0; run < count; run++) {
        for (xmlNode *node = xmlDocGetRootElement(self->flat)->children; node != NULL; node = node->next) {
            seen = node;
        }
    }
    return (now() - start) / count / self->nodes;
}

static double attributes(const subject *self, int count) {
    int reads = 0;
    double start = now();
    for (int run = 0; run < count; run++) {
        for (xmlNode *node = xmlDocGetRootElement(self->table)->children; node != NULL; node = node->next, reads++) {
            xmlFree(checked(xmlGetNoNsProp(node, BAD_CAST "id"), "read an attribute"));
        }
    }
    return (now() - start) / reads;
}

static double names(const subject *self, int count) {
    int reads = 0;
    double start = now();
    for (int run = 0; run < count; run++) {
        for (xmlNode *node = xmlDocGetRootElement(self->table)->children; node != NULL; node = node->next, reads++) {
            seen = node->name;
        }
    }
    return (now() - start) / reads;
}

static double serialize(const subject *self, int count) {
    double start = now();
    for (int run = 0; run < count; run++) {
        xmlChar *bytes;
        int size;
        xmlDocDumpMemory(self->table, &bytes, &size);
        xmlFree(checked(bytes, "serialize"));
    }
    return (now() - start) / count;
}

/* The elements of the tree that is built, and changed. */
enum { BUILT = 100000 };

static xmlDoc *build(void) {
    xmlDoc *document = checked(xmlNewDoc(BAD_CAST "1.0"), "make a document");
    xmlNode *root = checked(xmlNewDocRawNode(document, NULL, BAD_CAST "root", NULL), "make an element");
    xmlDocSetRootElement(document, root);
    for (int number = 0; number < BUILT; number++) {
        checked(xmlNewTextChild(root, NULL, BAD_CAST "element", NULL), "make an element");
    }
    return document;
}

static void set_attributes(xmlNode *root) {
    for (xmlNode *node = root->children; node != NULL; node = node->next) {
        checked(xmlSetProp(node, BAD_CAST "key", BAD_CAST "value"), "set an attribute");
    }
}

static void set_texts(xmlNode *root) {
    for (xmlNode *node = root->children; node != NULL; node = node->next) {
        xmlNodeSetContent(node, BAD_CAST "text");
    }
}

static void move(xmlNode *root) {
    for (int number = 0; number < BUILT; number++) {
        xmlNode *first = root->children;
        xmlUnlinkNode(first);
        checked(xmlAddChild(root, first), "move an element");
    }
}

static void serialize_tree(xmlNode *root) {
    xmlChar *bytes;
    int size;
    xmlDocDumpMemory(root->doc, &bytes, &size);
    xmlFree(checked(bytes, "serialize"));
}

static double edit(void (*change)(xmlNode *root), int has_attributes, int count) {
    xmlDoc *document = build();
    xmlNode *root = xmlDocGetRootElement(document);
    if (has_attributes) {
        set_attributes(root);
    }
    double start = now();
    for (int run = 0; run < count; run++) {
        change(root);
    }
    double result = (now() - start) / count / BUILT;
    xmlFreeDoc(document);
    return result;
}

static double build_and_release(int count) {
    double start = now();
    for (int run = 0; run < count; run++) {
        xmlFreeDoc(build());
    }
    return (now() - start) / count / BUILT;
}

/* Returns a negative number for an unknown operation. */
static double measure(const subject *self, const char *operation, const char *expression, int count) {
    if (strcmp(operation, "parse") == 0) return parse_and_release(self, count);
    if (strcmp(operation, "one_thread") == 0) return parse_in_threads(self, 1, count);
    if (strcmp(operation, "two_threads") == 0) return parse_in_threads(self, 2, count);
    if (strcmp(operation, "xpath_many") == 0) return evaluate(self->flat, expression, count);
    if (strncmp(operation, "xpath_", 6) == 0) return evaluate(self->rows, expression, count);
    if (strcmp(operation, "iterate") == 0) return iterate(self, count);
    if (strcmp(operation, "attribute") == 0) return attributes(self, count);
    if (strcmp(operation, "name") == 0) return names(self, count);
    if (strcmp(operation, "serialize") == 0) return serialize(self, count);
    if (strcmp(operation, "build") == 0) return build_and_release(count);
    if (strcmp(operation, "set_attribute") == 0) return edit(set_attributes, 0, count);
    if (strcmp(operation, "set_text") == 0) return edit(set_texts, 0, count);
    if (strcmp(operation, "move") == 0) return edit(move, 0, count);
    if (strcmp(operation, "serialize_built") == 0) return edit(serialize_tree, 1, count);
    return -1;
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: raw FOLDER\n");
        return 2;
    }
    const char *folder = arguments[1];
    xmlInitParser();
    subject self = {
        .big = read_text(folder, "big.xml"),
        .rows = parse(read_text(folder, "rows.xml")),
        .flat = parse(read_text(folder, "flat.xml")),
        .table = parse(read_text(folder, "table.xml")),
    };
    self.nodes = (int)xmlChildElementCount(xmlDocGetRootElement(self.flat));
    printf("libxml2 %s\n", LIBXML_DOTTED_VERSION);
    fflush(stdout);
    char line[256], operation[32], expression[128];
    int runs;
    /* Tabs separate the words, because an expression may have spaces. */
    while (fgets(line, sizeof line, stdin) != NULL
           && sscanf(line, "%31[^\t]\t%d\t%127[^\n]", operation, &runs, expression) == 3) {
        double seconds = measure(&self, operation, expression, runs);
        if (seconds < 0) {
            puts("-");
        } else {
            printf("%.12f\n", seconds);
        }
        fflush(stdout);
    }
    return 0;
}
