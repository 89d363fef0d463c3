/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what stands under HpcNode about queues: features of their nodes. */
#include "pcluster/pcluster_model_own.h"

static bool is_feature(const char *text)
{
	return *text && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                                  "0123456789_.-")] == '\0';
}

static void add_feature(struct reader *x, struct model_resource *c, const struct doc *at)
{
	if (!is_feature(at->text)) {
		faults_take(&x->faults,
		            doc_err(at, x->faults.err, REASON_INPUT_RANGE,
		                    "Features: '%s' is no feature, expected letters, digits, "
		                    "'_', '.' and '-'",
		                    at->text));
		return;
	}
	c->features = arena_grow(x->arena, c->features, &c->n_features, sizeof *c->features);
	c->features[c->n_features - 1] = at->text;
}

static void add_features(struct reader *x, struct model_resource *c, const struct doc *list)
{
	const struct doc *at;

	for (size_t i = 0; (at = pcluster_item(list, i)) != NULL && !x->faults.ended; i++)
		add_feature(x, c, at);
}

static struct model_queue *queue_named(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_queues; i++)
		if (str_eq(m->queues[i].name, name))
			return &m->queues[i];
	return NULL;
}

static struct model_resource *resource_named(struct model_queue *q, const char *name)
{
	for (size_t i = 0; i < q->n_resources; i++)
		if (str_eq(q->resources[i].name, name))
			return &q->resources[i];
	return NULL;
}

static void read_queue(struct reader *x, const struct doc *own)
{
	const struct doc *list = doc_get(own, "ComputeResources"), *name = doc_get(own, "Name");
	struct model_queue *q = queue_named(x->model, name->text);

	if (!q)
		faults_take(&x->faults, doc_err(name, x->faults.err, REASON_INPUT_RANGE,
		                                "HpcNode: there is no queue '%s' under SlurmQueues",
		                                name->text));
	for (size_t i = 0; q && list && i < list->n && !x->faults.ended; i++) {
		const struct doc *at = doc_get(list->items[i], "Name");
		struct model_resource *c = resource_named(q, at->text);

		if (c)
			add_features(x, c, doc_get(list->items[i], "Features"));
		else
			faults_take(&x->faults,
			            doc_err(at, x->faults.err, REASON_INPUT_RANGE,
			                    "HpcNode: queue '%s' has no compute resource '%s'",
			                    q->name, at->text));
	}
}

void reader_own(struct reader *x)
{
	const struct doc *queues = doc_find(x->in->config, "HpcNode.Queues");

	for (size_t i = 0; queues && i < queues->n && !x->faults.ended; i++)
		read_queue(x, queues->items[i]);
}
