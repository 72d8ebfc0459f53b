/* pkg-config: libxml-2.0

   Finds the places at which libxml2 itself crashes, hangs, loses memory or gives a wrong result without a report when
   an allocation fails.

   It makes the calls that xml_safe makes for the operations of its sweep, without xml_safe: once for each allocation,
   with that one failing ("one") and with that one and all later ones failing ("all"). Prints a line for each place:
   one or all, and the place as failing_malloc.c writes it. The sweep excuses these places.

   usage: LD_PRELOAD=failing_malloc.so LEAKPROOF_FAILED_AT=FILE out_of_memory FILE */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <libxml/HTMLtree.h>
#include <libxml/hash.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <libxml/xmlsave.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void (*arm)(long, int);
static long (*disarm)(void);
static int (*watch)(unsigned long, unsigned long);

/* Fewer of the later allocations fail: after so many steps, each second one. */
enum { SECONDS = 10, MOST_ALLOCATIONS = 20000, SPARSE = 400, AGAIN = 3 };

static const char XML[] =
    "<!DOCTYPE r [<!ENTITY e \"entity\"><!ENTITY unused SYSTEM \"nowhere\">]>\n"
    "<r xmlns:p=\"urn:p\" a=\"1\" p:b=\"2\"><b k=\"v\">one</b>two<p:c/><!--comment--><?do it?><![CDATA[data]]>&e;</r>";
static const char DECLARATIONS[] =
    "<!DOCTYPE r [<!ENTITY e \"text<b/>\"><?pi?><!--c--><!ENTITY f \"&e;\"><!NOTATION n SYSTEM \"n\">\n"
    "<!ATTLIST r id ID #IMPLIED><?last?>]><?pi?><r id=\"i\" xml:id=\"x\">&f;<a xmlns=\"urn:a\">&e;</a></r>";
static const char BAD[] = "<a><b></a>";
static const char EXTERNAL[] = "<!DOCTYPE r [<!ENTITY e SYSTEM \"nowhere\"><!ENTITY f \"&e;\">]><r>&f;</r>";
static const char WITH_DTD[] = "<!DOCTYPE r SYSTEM 'x.dtd'><r>&e;</r>";
static const char WITH_ENTITY[] =
    "<!DOCTYPE r [<!ENTITY % p SYSTEM 'x.dtd'>%p;<!ENTITY f SYSTEM 'x.xml'>]><r>&e;&f;</r>";
static const char PLAIN[] = "<a>b<c>d</c></a>";
static const char UTF16[] = "\xff\xfe<\0a\0>\0\xe9\0<\0/\0a\0>\0";
static char LONG[70000], MANY[3000];

/* A number for the results of an operation, and how many reports or missing results there were. */
static unsigned long results, failures, failures_before;

static void ignore_report(void *data, xmlErrorPtr error)
{
    (void)data, (void)error;
    failures++;
}

static void ignore_message(void *data, const char *format, ...)
{
    (void)data;
    // The counting allocator says so of each failure, whatever libxml2 does about that. Other allocators do not.
    failures += !strstr(format, "Out of free space");
}

static void *noted(void *result)
{
    failures += !result;
    return result;
}

static void note_number(unsigned long number)
{
    results = results * 31 + number;
}

static void note_text(const xmlChar *text)
{
    note_number(text ? strlen((const char *)text) : 1000003);
}

static void note_tree(const xmlNode *node)
{
    for (; node; node = node->next) {
        note_number(node->type);
        if (node->type == XML_ELEMENT_NODE || node->type == XML_DOCUMENT_NODE)
            note_tree(node->children);
        if (node->type == XML_ELEMENT_NODE)
            note_tree((const xmlNode *)node->properties);
        else if (node->type == XML_TEXT_NODE)
            note_text(node->content);
    }
}

static void note_value(const xmlXPathObject *value)
{
    note_number(value->type);
    if (value->type == XPATH_NODESET)
        note_number(value->nodesetval ? (unsigned long)value->nodesetval->nodeNr : 0);
    else if (value->type == XPATH_STRING)
        note_text(value->stringval);
    else if (value->type == XPATH_NUMBER)
        note_number((unsigned long)value->floatval);
    else
        note_number((unsigned long)value->boolval);
}

/* ---- parsing */

static xmlParserInputPtr input_of(const char *text, const char *name)
{
    xmlParserCtxtPtr parser = xmlCreatePushParserCtxt(NULL, NULL, text, (int)strlen(text), name);
    xmlParserInputPtr input = parser ? inputPop(parser) : NULL;
    xmlFreeParserCtxt(parser);
    return input;
}

static xmlParserInputPtr resolve(void *context, const xmlChar *public, const xmlChar *system)
{
    (void)context, (void)public, (void)system;
    return input_of("<!ENTITY e 'read'>", "x.dtd");
}

static void declare(void *context, const xmlChar *name, int kind, const xmlChar *public, const xmlChar *system,
                    xmlChar *content)
{
    if (kind == XML_EXTERNAL_GENERAL_PARSED_ENTITY)
        xmlSAX2EntityDecl(context, name, XML_INTERNAL_GENERAL_ENTITY, NULL, NULL, (xmlChar *)"<x>text</x>");
    else
        xmlSAX2EntityDecl(context, name, kind, public, system, content);
}

static xmlParserInputPtr load_nothing(const char *address, const char *name, xmlParserCtxtPtr parser)
{
    (void)address, (void)name, (void)parser;
    return NULL;
}

static xmlDocPtr parse(const char *text, size_t length, const char *encoding, int flags, int resolves)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    if (!parser)
        return NULL;
    parser->sax->serror = ignore_report;
    if (resolves) {
        parser->sax->resolveEntity = resolve;
        parser->sax->entityDecl = declare;
    }
    flags |= XML_PARSE_NONET | XML_PARSE_BIG_LINES | (encoding ? XML_PARSE_IGNORE_ENC : 0);
    xmlDocPtr document = xmlCtxtReadMemory(parser, text, (int)length, NULL, encoding, flags);
    failures += !document || !parser->wellFormed;
    xmlFreeParserCtxt(parser);
    return document;
}

/* ---- what is done with a document */

static void evaluate(xmlDocPtr document, xmlNodePtr node, const char *expression)
{
    xmlXPathContextPtr context = noted(xmlXPathNewContext(document));
    if (!context)
        return;
    context->error = ignore_report;
    xmlXPathSetContextNode(node, context);
    xmlXPathCompExprPtr compiled = xmlXPathCtxtCompile(context, (const xmlChar *)expression);
    if (noted(compiled)) {
        // An evaluation that takes many operations starts again, without a limit.
        context->opLimit = 200000;
        xmlXPathObjectPtr result = xmlXPathCompiledEval(compiled, context);
        if (!result && context->lastError.code == XPATH_OP_LIMIT_EXCEEDED + XML_XPATH_EXPRESSION_OK) {
            context->opLimit = 0;
            result = xmlXPathCompiledEval(compiled, context);
        }
        if (noted(result))
            note_value(result);
        xmlXPathFreeObject(result);
    }
    xmlXPathFreeCompExpr(compiled);
    xmlXPathFreeContext(context);
}

static void evaluate_with_prefix(xmlDocPtr document, xmlNodePtr node, const char *expression)
{
    (void)node;
    xmlXPathContextPtr context = noted(xmlXPathNewContext(document));
    if (!context)
        return;
    context->error = ignore_report;
    xmlXPathRegisterNs(context, (const xmlChar *)"p", (const xmlChar *)"urn:p");
    xmlXPathRegisterNs(context, (const xmlChar *)"p", (const xmlChar *)"urn:q");
    xmlXPathRegisterNs(context, (const xmlChar *)"q", (const xmlChar *)"urn:q");
    xmlXPathCompExprPtr compiled = xmlXPathCtxtCompile(context, (const xmlChar *)expression);
    if (noted(compiled)) {
        xmlXPathObjectPtr result = noted(xmlXPathCompiledEval(compiled, context));
        if (result)
            note_value(result);
        xmlXPathFreeObject(result);
    }
    xmlXPathFreeCompExpr(compiled);
    xmlXPathFreeContext(context);
}

/* Gives the context a copy of a value. */
static void bind(xmlXPathContextPtr context, const char *name, xmlXPathObjectPtr value)
{
    xmlXPathObjectPtr copy = noted(value) ? noted(xmlXPathObjectCopy(value)) : NULL;
    if (copy && xmlXPathRegisterVariableNS(context, (const xmlChar *)name, NULL, copy) != 0) {
        failures += 1;
        xmlXPathFreeObject(copy);
    }
    xmlXPathFreeObject(value);
}

/* Returns its first argument, or a number. */
static void call(xmlXPathParserContextPtr evaluation, int count)
{
    xmlXPathObjectPtr result = count ? NULL : noted(xmlXPathNewFloat(1));
    for (; count; count--) {
        xmlXPathFreeObject(result);
        result = valuePop(evaluation);
    }
    xmlXPathObjectPtr copy = result ? noted(xmlXPathObjectCopy(result)) : NULL;
    xmlXPathFreeObject(result);
    if (copy && valuePush(evaluation, copy) < 0)
        xmlXPathFreeObject(copy);
    else if (!copy)
        xmlXPathErr(evaluation, XPATH_EXPR_ERROR);
}

static void evaluate_with_values(xmlDocPtr document, xmlNodePtr node, const char *expression)
{
    xmlXPathContextPtr context = noted(xmlXPathNewContext(document));
    if (!context)
        return;
    context->error = ignore_report;
    xmlXPathSetContextNode(node, context);
    failures += xmlXPathRegisterNs(context, (const xmlChar *)"q", (const xmlChar *)"urn:p") != 0;
    xmlXPathObjectPtr nodes = noted(xmlXPathNewNodeSet(NULL));
    for (xmlNodePtr child = node->children; nodes && nodes->nodesetval && child; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            failures += xmlXPathNodeSetAddUnique(nodes->nodesetval, child) != 0;
    if (nodes && nodes->nodesetval)
        xmlXPathNodeSetSort(nodes->nodesetval);
    bind(context, "text", xmlXPathNewString((const xmlChar *)"x"));
    bind(context, "number", xmlXPathNewFloat(1));
    bind(context, "truth", xmlXPathNewBoolean(1));
    bind(context, "nodes", nodes);
    bind(context, "none", xmlXPathNewNodeSet(NULL));
    failures += xmlXPathRegisterFuncNS(context, (const xmlChar *)"f", NULL, call) != 0;
    failures += xmlXPathRegisterFuncNS(context, (const xmlChar *)"f", (const xmlChar *)"urn:p", call) != 0;
    xmlXPathCompExprPtr compiled = xmlXPathCtxtCompile(context, (const xmlChar *)expression);
    if (noted(compiled)) {
        xmlXPathObjectPtr result = noted(xmlXPathCompiledEval(compiled, context));
        if (result)
            note_value(result);
        xmlXPathFreeObject(result);
    }
    xmlXPathFreeCompExpr(compiled);
    xmlXPathFreeContext(context);
}

static void read_one(xmlNodePtr node)
{
    xmlChar *content = xmlNodeGetContent(node), *path = xmlGetNodePath(node);
    note_text(noted(content));
    note_text(noted(path));
    note_number((unsigned long)xmlGetLineNo(node));
    xmlFree(content);
    xmlFree(path);
}

static void read_all(xmlDocPtr document, xmlNodePtr node, const char *nothing)
{
    (void)document, (void)nothing;
    for (xmlNodePtr child = node; child; child = child->children)
        read_one(child);
    read_one((xmlNodePtr)document);
    for (xmlAttrPtr attribute = node->properties; attribute; attribute = attribute->next)
        read_one((xmlNodePtr)attribute);
}

static void serialize_one(xmlNodePtr node)
{
    xmlBufferPtr buffer = noted(xmlBufferCreate());
    if (!buffer)
        return;
    int options = XML_SAVE_AS_XML | XML_SAVE_NO_XHTML | XML_SAVE_NO_DECL;
    xmlSaveCtxtPtr saver = noted(xmlSaveToBuffer(buffer, "UTF-8", options));
    if (saver) {
        failures += xmlSaveTree(saver, node) < 0;
        failures += xmlSaveFlush(saver) < 0;
        xmlSaveClose(saver);
    }
    note_text(xmlBufferContent(buffer));
    xmlBufferFree(buffer);
}

static void serialize(xmlDocPtr document, xmlNodePtr node, const char *nothing)
{
    (void)nothing;
    serialize_one(node);
    for (xmlNodePtr child = document->children; child; child = child->next)
        serialize_one(child);
    serialize_one((xmlNodePtr)node->properties);
}

static void copy_document(xmlDocPtr document, xmlNodePtr node, const char *nothing)
{
    xmlDocPtr copy = noted(xmlCopyDoc(document, 1));
    (void)node;
    if (copy && xmlDocGetRootElement(copy))
        serialize(copy, xmlDocGetRootElement(copy), nothing);
    xmlFreeDoc(copy);
}

/* ---- the operations */

typedef void (*work)(xmlDocPtr, xmlNodePtr, const char *);

/* If there is `work`, allocations fail while that is done; else while the document is parsed. */
struct operation {
    const char *text;
    size_t length;
    const char *encoding;
    int flags, resolves;
    work work;
    const char *expression;
};

#define PARSES(text, flags) {text, sizeof text - 1, "UTF-8", flags, 0, NULL, NULL}
#define LONG_TEXT(text, flags) {text, 0, "UTF-8", flags, 0, NULL, NULL}
#define WORKS(text, work, expression) {text, sizeof text - 1, "UTF-8", 0, 0, work, expression}
#define EVALUATES(expression) WORKS(XML, evaluate, expression), WORKS(XML, evaluate_with_prefix, expression)

static const struct operation OPERATIONS[] = {
    PARSES(XML, 0),
    PARSES(XML, XML_PARSE_RECOVER),
    PARSES(XML, XML_PARSE_HUGE),
    PARSES(XML, XML_PARSE_NOBLANKS),
    PARSES(XML, XML_PARSE_NOCDATA),
    PARSES(XML, XML_PARSE_NOENT),
    {XML, sizeof XML - 1, "UTF-8", XML_PARSE_NOENT, 1, NULL, NULL},
    {XML, sizeof XML - 1, NULL, 0, 0, NULL, NULL},
    PARSES(PLAIN, 0),
    PARSES(BAD, 0),
    PARSES(BAD, XML_PARSE_RECOVER),
    PARSES(EXTERNAL, XML_PARSE_NOENT),
    {EXTERNAL, sizeof EXTERNAL - 1, "UTF-8", XML_PARSE_NOENT, 1, NULL, NULL},
    {WITH_DTD, sizeof WITH_DTD - 1, "UTF-8", XML_PARSE_NOENT | XML_PARSE_DTDLOAD, 1, NULL, NULL},
    {WITH_DTD, sizeof WITH_DTD - 1, "UTF-8", XML_PARSE_DTDLOAD, 0, NULL, NULL},
    {WITH_ENTITY, sizeof WITH_ENTITY - 1, "UTF-8", XML_PARSE_NOENT, 1, NULL, NULL},
    {UTF16, sizeof UTF16 - 1, NULL, 0, 0, NULL, NULL},
    {XML, 0, "UTF-8", 0, 0, NULL, NULL},
    LONG_TEXT(LONG, 0),
    EVALUATES("//node() | //@*"),
    EVALUATES("//namespace::*"),
    EVALUATES("//zz"),
    EVALUATES("string(//b)"),
    EVALUATES("count(//b)"),
    EVALUATES("//b = 'one'"),
    EVALUATES("//b["),
    EVALUATES("//b[f()]"),
    EVALUATES("//q:b"),
    EVALUATES("//p:c"),
    EVALUATES("xml:f()"),
    EVALUATES("$v"),
    EVALUATES("count('x')"),
    EVALUATES("//*"),
    EVALUATES("1"),
    EVALUATES("/"),
    WORKS(XML, copy_document, NULL),
    WORKS(DECLARATIONS, copy_document, NULL),
    WORKS(XML, evaluate_with_values, "concat($text, $number, $truth, $nodes, $nodes, $none)"),
    WORKS(XML, evaluate_with_values, "f(//b, 'x', 1, true())"),
    WORKS(XML, evaluate_with_values, "q:f($nodes) = f(//b)"),
    WORKS(XML, evaluate_with_values, "f($nodes)[1]/../q:c"),
    WORKS(XML, evaluate_with_values, "f()"),
    WORKS(XML, evaluate_with_values, "//b[f(.)]"),
    WORKS(XML, evaluate_with_values, "$nodes"),
    WORKS(XML, evaluate_with_values, "g()"),
    WORKS(XML, evaluate_with_values, "(//b)"),
    {MANY, 0, "UTF-8", 0, 0, evaluate, "count(//b[count(//b) > 0])"},
    WORKS(XML, read_all, NULL),
    WORKS(PLAIN, read_all, NULL),
    WORKS(XML, serialize, NULL),
};

/* Runs an operation. Returns how many allocations failed, or -1 if memory was lost or a result is not the `expected`
   one, without a report. */
static long run(const struct operation *operation, long n, int persistent, unsigned long expected)
{
    size_t length = operation->length ? operation->length : strlen(operation->text);
    xmlDocPtr document = NULL;
    if (operation->work)
        document = parse(operation->text, length, operation->encoding, operation->flags, operation->resolves);
    xmlResetLastError();
    int before = xmlMemBlocks();
    results = failures = 0;
    arm(n, persistent);
    if (operation->work)
        operation->work(document, xmlDocGetRootElement(document), operation->expression);
    else
        document = parse(operation->text, length, operation->encoding, operation->flags, operation->resolves);
    long failed = disarm();
    if (!operation->work) {
        note_tree((xmlNodePtr)document);
        xmlFreeDoc(document);
    }
    xmlResetLastError();
    return xmlMemBlocks() > before || (failed && !failures && results != expected) ? -1 : failed;
}

static void write_place(const char *file, int persistent)
{
    static char place[1 << 16];
    FILE *stream = fopen(file, "r");
    if (!stream || !fgets(place, sizeof place, stream))
        exit(2);
    fclose(stream);
    printf("%s %s", persistent ? "all" : "one", place);
}

/* Runs an operation in a process of its own. Returns 0 if nothing failed any more. */
static int try(const struct operation *operation, long n, int persistent, unsigned long expected, const char *file)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        alarm(SECONDS);
        long failed = run(operation, n, persistent, expected);
        // Damage may show only later.
        for (int again = 0; again < AGAIN && failed > 0; again++)
            if (run(operation, MOST_ALLOCATIONS, 0, expected) < 0 || failures != failures_before || results != expected)
                failed = -1;
        _exit(failed < 0 ? 3 : failed > 0 ? 1 : 0);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) < 3)
        return WEXITSTATUS(status);
    write_place(file, persistent);
    return 1;
}

static int watch_library(struct dl_phdr_info *info, size_t size, void *nothing)
{
    (void)size, (void)nothing;
    if (info->dlpi_name && strstr(info->dlpi_name, "libxml2"))
        for (int index = 0; index < info->dlpi_phnum; index++) {
            const ElfW(Phdr) *header = &info->dlpi_phdr[index];
            if (header->p_type == PT_LOAD && header->p_flags & PF_X)
                watch(info->dlpi_addr + header->p_vaddr, info->dlpi_addr + header->p_vaddr + header->p_memsz);
        }
    return 0;
}

int main(int count, char **arguments)
{
    *(void **)&arm = dlsym(RTLD_DEFAULT, "failing_malloc_arm");
    *(void **)&disarm = dlsym(RTLD_DEFAULT, "failing_malloc_disarm");
    *(void **)&watch = dlsym(RTLD_DEFAULT, "failing_malloc_watch");
    if (count != 2 || !arm || !disarm || !watch)
        return 2;
    memset(LONG, '\n', 66000);
    memcpy(LONG, "<a>", 3);
    strcpy(LONG + 66000, "<b/><!--c--><?p?></a>");
    strcpy(MANY, "<r>");
    for (int index = 0; index < 600; index++)
        strcat(MANY, "<b/>");
    strcat(MANY, "</r>");
    xmlMemSetup(xmlMemFree, xmlMemMalloc, xmlMemRealloc, xmlMemoryStrdup);
    xmlInitParser();
    xmlSetExternalEntityLoader(load_nothing);
    xmlSetStructuredErrorFunc(NULL, ignore_report);
    xmlSetGenericErrorFunc(NULL, ignore_message);
    dl_iterate_phdr(watch_library, NULL);
    for (size_t index = 0; index < sizeof OPERATIONS / sizeof *OPERATIONS; index++) {
        // The first run also initializes what libxml2 sets up on first use.
        run(&OPERATIONS[index], MOST_ALLOCATIONS, 0, 0);
        unsigned long expected = results;
        failures_before = failures;
        for (long n = 1; n < MOST_ALLOCATIONS; n += 1 + n / SPARSE) {
            fflush(stdout);
            if (try(&OPERATIONS[index], n, 0, expected, arguments[1]) == 0)
                break;
            try(&OPERATIONS[index], n, 1, expected, arguments[1]);
        }
    }
    return 0;
}
